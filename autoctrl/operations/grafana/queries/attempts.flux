from(bucket: v.defaultBucket)
  |> range(start: 2020-01-01T00:00:00Z)
  |> filter(fn: (r) => r._measurement == "job" and r.campaign == ${campaign:json}
    and r.workflow == ${workflow:json} and r.unit == ${unit:json})
  |> filter(fn: (r) => r._field == "version" or r._field == "job" or r._field == "attempt" or r._field == "status" or r._field == "failure" or r._field == "host" or r._field == "exit_code" or r._field == "wall_s" or r._field == "peak_memory_mb" or r._field == "log")
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  |> sort(columns: ["_time"], desc: true)
  |> drop(fn: (column) => column =~ /^(_start|_stop|_measurement|campaign|workflow|unit)$/)
