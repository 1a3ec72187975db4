-- name: begin_task
-- The first record of a task becomes its newest one.
INSERT OR IGNORE INTO newest_tasks (campaign, workflow, unit, sequence, status, version) VALUES (?, ?, ?, ?, ?, ?);

-- name: follow_task
-- A later record becomes the newest one, if it follows what is there.
UPDATE newest_tasks SET sequence = ?4, status = ?5, version = ?6
WHERE campaign = ?1 AND workflow = ?2 AND unit = ?3 AND sequence = ?7;

-- name: write_task
-- A record of a task joins the history.
INSERT INTO task_records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: newest_task
-- What is there now of one task; for the text of a conflict.
SELECT r.* FROM newest_tasks AS n CROSS JOIN task_records AS r
    ON r.campaign = n.campaign AND r.workflow = n.workflow AND r.unit = n.unit AND r.sequence = n.sequence
WHERE n.campaign = ? AND n.workflow = ? AND n.unit = ?;

-- name: begin_job
-- The first record of a job becomes its newest one.
INSERT OR IGNORE INTO newest_jobs (campaign, workflow, unit, version, job, sequence) VALUES (?, ?, ?, ?, ?, ?);

-- name: follow_job
-- A later record becomes the newest one, if it follows what is there.
UPDATE newest_jobs SET sequence = ?6
WHERE campaign = ?1 AND workflow = ?2 AND unit = ?3 AND version = ?4 AND job = ?5 AND sequence = ?7;

-- name: write_job
-- A record of a job joins the history.
INSERT INTO job_records VALUES (
    ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
);

-- name: newest_job
-- What is there now of one job; for the text of a conflict.
SELECT r.* FROM newest_jobs AS n CROSS JOIN job_records AS r
    ON r.campaign = n.campaign AND r.workflow = n.workflow AND r.unit = n.unit
    AND r.version = n.version AND r.job = n.job AND r.sequence = n.sequence
WHERE n.campaign = ? AND n.workflow = ? AND n.unit = ? AND n.version = ? AND n.job = ?;

-- name: begin_run
-- The first record of a run becomes its newest one.
INSERT OR IGNORE INTO newest_runs (number, sequence) VALUES (?, ?);

-- name: follow_run
-- A later record becomes the newest one, if it follows what is there.
UPDATE newest_runs SET sequence = ?2 WHERE number = ?1 AND sequence = ?3;

-- name: write_run
-- A record of a run joins the history at the next position.
INSERT INTO run_records (number, sequence, attributes, is_closed, time, actor, via, subject) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: newest_run
-- What is there now of one run; for the text of a conflict.
SELECT r.* FROM newest_runs AS n CROSS JOIN run_records AS r ON r.number = n.number AND r.sequence = n.sequence
WHERE n.number = ?;

-- name: begin_mark
-- The first mark of its kind, campaign and name becomes the newest one.
INSERT OR IGNORE INTO newest_marks (kind, campaign, name, sequence) VALUES (?, ?, ?, ?);

-- name: follow_mark
-- A later mark becomes the newest one, if it follows what is there.
UPDATE newest_marks SET sequence = ?4 WHERE kind = ?1 AND campaign = ?2 AND name = ?3 AND sequence = ?5;

-- name: write_mark
-- A mark joins the history.
INSERT INTO mark_records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: newest_mark
-- What is there now of one mark; for the text of a conflict.
SELECT r.* FROM newest_marks AS n CROSS JOIN mark_records AS r
    ON r.kind = n.kind AND r.campaign = n.campaign AND r.name = n.name AND r.sequence = n.sequence
WHERE n.kind = ? AND n.campaign = ? AND n.name = ?;

-- name: write_output
-- A copy of an output was published or checked.
INSERT INTO output_records
    (campaign, workflow, unit, version, name, url, state, bytes, checksums, entries, members, friend_of, time)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: write_fields
-- A version reported custom fields.
INSERT INTO fields_records (campaign, workflow, unit, version, contents, time) VALUES (?, ?, ?, ?, ?, ?);

-- name: workflows
-- Names of the workflows that a campaign has tasks of: one step of the index for each, however many tasks there are.
WITH RECURSIVE named (workflow) AS (
    SELECT min(workflow) FROM newest_tasks WHERE campaign = :campaign
    UNION ALL
    SELECT (SELECT min(workflow) FROM newest_tasks WHERE campaign = :campaign AND workflow > named.workflow)
    FROM named WHERE named.workflow IS NOT NULL
)
SELECT workflow FROM named WHERE workflow IS NOT NULL;

-- name: workflows_with_outputs
-- Names of the workflows that a campaign has outputs of, found in the same way.
WITH RECURSIVE named (workflow) AS (
    SELECT min(workflow) FROM output_records WHERE campaign = :campaign
    UNION ALL
    SELECT (SELECT min(workflow) FROM output_records WHERE campaign = :campaign AND workflow > named.workflow)
    FROM named WHERE named.workflow IS NOT NULL
)
SELECT workflow FROM named WHERE workflow IS NOT NULL;

-- name: units
-- Names of the units that a workflow has tasks of: the index tells.
SELECT unit FROM newest_tasks WHERE campaign = ? AND workflow = ?;

-- name: open_tasks
-- The newest record of every open task of some workflows.
SELECT r.* FROM newest_tasks AS n INDEXED BY unfinished_tasks CROSS JOIN task_records AS r
    ON r.campaign = n.campaign AND r.workflow = n.workflow AND r.unit = n.unit AND r.sequence = n.sequence
WHERE n.campaign = :campaign AND n.workflow IN (SELECT value FROM json_each(:workflows))
    AND n.status IN ('new', 'processing') AND n.status <> 'done';

-- name: open_jobs
-- The newest record of every job of the present version of every open task of some workflows.
SELECT r.* FROM newest_tasks AS n INDEXED BY unfinished_tasks CROSS JOIN newest_jobs AS j
    ON j.campaign = n.campaign AND j.workflow = n.workflow AND j.unit = n.unit AND j.version = n.version
CROSS JOIN job_records AS r
    ON r.campaign = j.campaign AND r.workflow = j.workflow AND r.unit = j.unit
    AND r.version = j.version AND r.job = j.job AND r.sequence = j.sequence
WHERE n.campaign = :campaign AND n.workflow IN (SELECT value FROM json_each(:workflows))
    AND n.status IN ('new', 'processing') AND n.status <> 'done';

-- name: tasks_of_units
-- The newest records of some units in some workflows, by key.
SELECT r.* FROM newest_tasks AS n CROSS JOIN task_records AS r
    ON r.campaign = n.campaign AND r.workflow = n.workflow AND r.unit = n.unit AND r.sequence = n.sequence
WHERE n.campaign = :campaign AND n.workflow IN (SELECT value FROM json_each(:workflows))
    AND n.unit IN (SELECT value FROM json_each(:units));

-- name: tasks_of_workflows
-- The newest record of every task of some workflows.
SELECT r.* FROM newest_tasks AS n CROSS JOIN task_records AS r
    ON r.campaign = n.campaign AND r.workflow = n.workflow AND r.unit = n.unit AND r.sequence = n.sequence
WHERE n.campaign = :campaign AND n.workflow IN (SELECT value FROM json_each(:workflows));

-- name: unfinished_tasks
-- The newest records of the tasks of some workflows that have one of some statuses, none of them done.
SELECT r.* FROM newest_tasks AS n INDEXED BY unfinished_tasks CROSS JOIN task_records AS r
    ON r.campaign = n.campaign AND r.workflow = n.workflow AND r.unit = n.unit AND r.sequence = n.sequence
WHERE n.campaign = :campaign AND n.workflow IN (SELECT value FROM json_each(:workflows))
    AND n.status IN (SELECT value FROM json_each(:statuses)) AND n.status <> 'done';

-- name: task_history
-- Every record of one task, in order.
SELECT * FROM task_records WHERE campaign = ? AND workflow = ? AND unit = ? ORDER BY sequence;

-- name: job_history
-- Every record of every job of one task, job by job in order.
SELECT * FROM job_records WHERE campaign = ? AND workflow = ? AND unit = ? ORDER BY version, job, sequence;

-- name: output_history
-- Every record of every output of one task, as they were written.
SELECT * FROM output_records WHERE campaign = ? AND workflow = ? AND unit = ? ORDER BY arrival;

-- name: fields_history
-- Every record of custom fields of one task, as they were written.
SELECT * FROM fields_records WHERE campaign = ? AND workflow = ? AND unit = ? ORDER BY arrival;

-- name: position
-- Where the records of runs have got to.
SELECT coalesce(max(position), 0) FROM run_records;

-- name: runs_since
-- The newest record of every run written after a position. The + keeps SQLite from walking all runs to sort them.
SELECT r.* FROM run_records AS r CROSS JOIN newest_runs AS n ON n.number = r.number AND n.sequence = r.sequence
WHERE r.position > :since ORDER BY +r.number;

-- name: run_numbers
-- Numbers of the runs written after a position, each as often as it was written.
SELECT number FROM run_records WHERE position > ?;

-- name: runs_numbered
-- The newest records of some runs, if written after a position.
SELECT r.* FROM newest_runs AS n CROSS JOIN run_records AS r ON r.number = n.number AND r.sequence = n.sequence
WHERE n.number IN (SELECT value FROM json_each(:numbers)) AND r.position > :since ORDER BY n.number;

-- name: marks
-- The newest mark of every campaign and name of one kind.
SELECT r.* FROM newest_marks AS n CROSS JOIN mark_records AS r
    ON r.kind = n.kind AND r.campaign = n.campaign AND r.name = n.name AND r.sequence = n.sequence
WHERE n.kind = :kind ORDER BY n.campaign, n.name;

-- name: outputs_of_units
-- Every record of the outputs of some units in some workflows, as they were written.
SELECT * FROM output_records
WHERE campaign = :campaign AND workflow IN (SELECT value FROM json_each(:workflows))
    AND unit IN (SELECT value FROM json_each(:units)) ORDER BY arrival;

-- name: outputs_of_workflows
-- Every record of the outputs of some workflows, as they were written.
SELECT * FROM output_records
WHERE campaign = :campaign AND workflow IN (SELECT value FROM json_each(:workflows)) ORDER BY arrival;

-- name: every_run
-- Every record of every run, as they were written.
SELECT * FROM run_records ORDER BY position;

-- name: every_mark
-- Every mark, one after the other.
SELECT * FROM mark_records ORDER BY kind, campaign, name, sequence;

-- name: every_task
-- Every record of every task, task by task.
SELECT * FROM task_records ORDER BY campaign, workflow, unit, sequence;

-- name: every_job
-- Every record of every job, job by job.
SELECT * FROM job_records ORDER BY campaign, workflow, unit, version, job, sequence;

-- name: every_output
-- Every record of every output, task by task, each task's as they were written.
SELECT * FROM output_records ORDER BY campaign, workflow, unit, arrival;

-- name: every_fields
-- Every record of custom fields, task by task, each task's as they were written.
SELECT * FROM fields_records ORDER BY campaign, workflow, unit, arrival;

-- name: lease
-- Who holds a lease, and how long.
SELECT owner, epoch, boot, ends, length, expires FROM leases WHERE name = ?;

-- name: every_lease
-- Every lease that was ever claimed.
SELECT name, owner, epoch, boot, ends, length, expires FROM leases;

-- name: write_lease
-- A lease is claimed, renewed or given up.
INSERT OR REPLACE INTO leases (name, owner, epoch, boot, ends, length, expires) VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: write_heartbeat
-- A round of a campaign was made.
INSERT OR REPLACE INTO heartbeats (campaign, time, owner) VALUES (?, ?, ?);

-- name: every_heartbeat
-- The last heartbeat of every campaign.
SELECT campaign, time, owner FROM heartbeats;

-- name: identity
-- What the store was called last, and which file it was then.
SELECT store_id, inode, born FROM identities ORDER BY rowid DESC LIMIT 1;

-- name: write_identity
-- This file is a store of its own from now on.
INSERT INTO identities (store_id, inode, born, since) VALUES (?, ?, ?, ?);

-- name: write_nothing
-- Changes nothing, and is refused where nothing may be changed.
DELETE FROM heartbeats WHERE campaign = '';
