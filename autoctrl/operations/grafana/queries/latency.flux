tasks = from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "task" and r.campaign == ${campaign:json} and r._field == "status")
  |> keep(columns: ["_time", "_value", "workflow", "unit"])
  |> map(fn: (r) => ({r with at: int(v: r._time)}))
  |> group()
  |> sort(columns: ["_time"])
  |> pivot(rowKey: ["workflow", "unit"], columnKey: ["_value"], valueColumn: "at")
  |> filter(fn: (r) => exists r.new and exists r.processing and exists r.done)
jobs = from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "job" and r.campaign == ${campaign:json} and r._field == "wall_s")
  |> group(columns: ["workflow", "unit"])
  |> max()
  |> keep(columns: ["workflow", "unit", "_value"])
  |> group()
ends = from(bucket: v.defaultBucket)
  |> range(start: 2024-01-08T00:00:00Z, stop: 2024-01-22T00:00:00Z)
  |> filter(fn: (r) => r._measurement == "board" and r.campaign == ${campaign:json})
  |> filter(fn: (r) => r._field == "run" or r._field == "end_s")
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  |> filter(fn: (r) => exists r.end_s)
  |> map(fn: (r) => ({unit: string(v: r.run), end_s: r.end_s}))
timed = join(tables: {task: tasks, job: jobs}, on: ["workflow", "unit"])
join(tables: {timed: timed, end: ends}, on: ["unit"])
  |> map(fn: (r) => ({
    workflow: r.workflow,
    locks_s: float(v: r.processing) / 1000000000.0 - r.end_s,
    running_s: r._value,
    rest_s: float(v: r.done - r.processing) / 1000000000.0 - r._value,
    total_s: float(v: r.done) / 1000000000.0 - r.end_s,
  }))
  |> group(columns: ["workflow"])
  |> reduce(identity: {tasks: 0.0, locks_s: 0.0, running_s: 0.0, rest_s: 0.0, total_s: 0.0},
    fn: (r, accumulator) => ({
      tasks: accumulator.tasks + 1.0,
      locks_s: accumulator.locks_s + r.locks_s,
      running_s: accumulator.running_s + r.running_s,
      rest_s: accumulator.rest_s + r.rest_s,
      total_s: accumulator.total_s + r.total_s,
    }))
  |> map(fn: (r) => ({
    workflow: r.workflow,
    tasks: r.tasks,
    locks_s: r.locks_s / r.tasks,
    running_s: r.running_s / r.tasks,
    rest_s: r.rest_s / r.tasks,
    total_s: r.total_s / r.tasks,
  }))
  |> group()
