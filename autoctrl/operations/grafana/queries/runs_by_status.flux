from(bucket: v.defaultBucket)
  |> range(start: 2024-01-08T00:00:00Z, stop: 2024-01-22T00:00:00Z)
  |> filter(fn: (r) => r._measurement == "board" and r.campaign == ${campaign:json}
    and r._field == "status")
  |> group(columns: ["_value"])
  |> count(column: "_field")
  |> group()
  |> rename(columns: {_value: "status", _field: "runs"})
  |> keep(columns: ["status", "runs"])
