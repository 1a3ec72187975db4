-- What version 3 adds to the tables: who an actor is beyond doubt, empty where nobody has proved it.

ALTER TABLE task_records ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE job_records ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE run_records ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE mark_records ADD COLUMN subject TEXT NOT NULL DEFAULT '';
