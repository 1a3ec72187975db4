-- What version 4 adds to the tables: when a job began on its node, µs since 1970 by the node's clock.

ALTER TABLE job_records ADD COLUMN began INTEGER;
