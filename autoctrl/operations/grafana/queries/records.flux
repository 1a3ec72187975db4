from(bucket: v.defaultBucket)
  |> range(start: 2020-01-01T00:00:00Z)
  |> filter(fn: (r) => r._measurement == "task" and r.campaign == ${campaign:json}
    and r.workflow == ${workflow:json} and r.unit == ${unit:json})
  |> filter(fn: (r) => r._field == "status" or r._field == "version" or r._field == "reason" or r._field == "actor" or r._field == "log")
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  |> sort(columns: ["_time"], desc: true)
  |> keep(columns: ["_time", "status", "version", "reason", "actor", "log"])
