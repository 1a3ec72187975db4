from(bucket: v.defaultBucket)
  |> range(start: 2020-01-01T00:00:00Z)
  |> filter(fn: (r) => r._measurement == "task" and r.campaign == ${campaign:json}
    and r.workflow == ${workflow:json} and r.unit == ${unit:json}
    and r._field == "status")
  |> keep(columns: ["_time", "_value"])
  |> group()
