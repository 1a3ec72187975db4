from(bucket: v.defaultBucket)
  |> range(start: -30m)
  |> filter(fn: (r) => r._measurement == "health" and r.campaign == ${campaign:json}
    and r._field == "round_s")
  |> group()
  |> count()
