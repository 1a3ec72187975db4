// A run's point lies so many ns after the board begins as its number says. The numbers alone are
// cheap, so the first of the newest runs is looked for in them, and bounds what is read.
begin = int(v: 2024-01-08T00:00:00Z)
lowest = time(v: begin + int(v: ${first:json}))
highest = time(v: begin + int(v: ${last:json}) + 1)
first = (from(bucket: v.defaultBucket)
  |> range(start: lowest, stop: highest)
  |> filter(fn: (r) => r._measurement == "board" and r.campaign == ${campaign:json}
    and r._field == "run")
  |> tail(n: ${newest})
  |> min()
  |> tableFind(fn: (key) => true)
  |> getRecord(idx: 0))._value
from(bucket: v.defaultBucket)
  |> range(start: time(v: begin + first), stop: highest)
  |> filter(fn: (r) => r._measurement == "board" and r.campaign == ${campaign:json})
  |> filter(fn: (r) => r._field !~ /^(start|start_s|end_s|attr_start|attr_end|attr_start_s|attr_end_s)$/)
  |> drop(columns: ["_start", "_stop", "_measurement", "campaign"])
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  |> filter(fn: (r) => r.status =~ /^${status:regex}$/)
  |> sort(columns: ["run"], desc: true)
  |> drop(columns: ["_time"])
