from(bucket: v.defaultBucket)
  |> range(start: 1970-01-05T00:00:00Z, stop: 1970-01-12T00:00:00Z)
  |> filter(fn: (r) => r._measurement == "overview" and r.campaign == ${campaign:json}
    and r._field == "status")
  |> group(columns: ["workflow", "_value"])
  |> count(column: "_field")
  |> group()
  |> pivot(rowKey: ["workflow"], columnKey: ["_value"], valueColumn: "_field")
