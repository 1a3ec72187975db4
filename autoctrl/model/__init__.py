"""What the machine is made of: statuses, runs, units, tasks, jobs, outputs.

Pure values: no I/O and no clock.
"""
