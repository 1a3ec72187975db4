-- The tables of version 1. Times are µs since 1970-01-01T00:00:00Z; the views at the end show them as text.
-- The records tables only grow. Each newest_ table points at the newest record of every identity; it is written in the
-- same transaction and could be rebuilt from the records.

CREATE TABLE identities (          -- of this file; the last row holds, see docs/decisions/0002-store-identity.md
    store_id TEXT NOT NULL,
    inode INTEGER NOT NULL,
    born INTEGER NOT NULL,         -- when the file came to be, ns since 1970, 0 if the file system does not tell
    since INTEGER NOT NULL
);

CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    boot TEXT NOT NULL,
    ends INTEGER NOT NULL,         -- µs since that boot
    length INTEGER NOT NULL,       -- µs
    expires INTEGER NOT NULL       -- wall time, for people
) WITHOUT ROWID;

CREATE TABLE task_records (
    campaign TEXT NOT NULL,
    workflow TEXT NOT NULL,
    unit TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    status TEXT NOT NULL,
    time INTEGER NOT NULL,
    members TEXT NOT NULL,         -- run numbers, separated by commas
    version INTEGER NOT NULL,
    reason TEXT NOT NULL,
    until INTEGER,
    actor TEXT NOT NULL,
    via TEXT NOT NULL,
    environment TEXT NOT NULL,
    since INTEGER,
    renewals INTEGER NOT NULL,
    stopping INTEGER NOT NULL,
    inputs TEXT,                   -- JSON, NULL if there are none
    provenance TEXT NOT NULL,
    log TEXT NOT NULL,
    is_growing INTEGER NOT NULL,
    PRIMARY KEY (campaign, workflow, unit, sequence)
) WITHOUT ROWID;

CREATE TABLE newest_tasks (
    campaign TEXT NOT NULL,
    workflow TEXT NOT NULL,
    unit TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    status TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (campaign, workflow, unit)
) WITHOUT ROWID;

-- What is not done: open tasks are found here, so a million that are done cost nothing.
CREATE INDEX unfinished_tasks ON newest_tasks (campaign, workflow, status, unit) WHERE status <> 'done';

CREATE TABLE job_records (
    campaign TEXT NOT NULL,
    workflow TEXT NOT NULL,
    unit TEXT NOT NULL,
    version INTEGER NOT NULL,
    job INTEGER NOT NULL,          -- index, -1 for the merge
    sequence INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    status TEXT NOT NULL,
    time INTEGER NOT NULL,
    role TEXT NOT NULL,
    spec TEXT NOT NULL,            -- JSON, like files, fields and spent
    variables TEXT,                -- the specification's environment, JSON
    used INTEGER NOT NULL,
    reason TEXT NOT NULL,
    failure TEXT,
    not_before INTEGER,
    actor TEXT NOT NULL,
    via TEXT NOT NULL,
    environment TEXT NOT NULL,
    handle TEXT NOT NULL,
    starts INTEGER NOT NULL,
    host TEXT NOT NULL,
    exit_code INTEGER,
    signal INTEGER,
    wall_s REAL,
    cpu_s REAL,
    peak_memory_mb REAL,
    log TEXT NOT NULL,
    files TEXT,
    fields TEXT,
    asked INTEGER,
    spent TEXT,
    late INTEGER NOT NULL,
    PRIMARY KEY (campaign, workflow, unit, version, job, sequence)
) WITHOUT ROWID;

CREATE TABLE newest_jobs (
    campaign TEXT NOT NULL,
    workflow TEXT NOT NULL,
    unit TEXT NOT NULL,
    version INTEGER NOT NULL,
    job INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (campaign, workflow, unit, version, job)
) WITHOUT ROWID;

CREATE TABLE run_records (
    position INTEGER PRIMARY KEY,
    number INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    attributes TEXT,               -- JSON
    is_closed INTEGER NOT NULL,
    time INTEGER NOT NULL,
    actor TEXT NOT NULL,
    via TEXT NOT NULL,
    UNIQUE (number, sequence)
);

CREATE TABLE newest_runs (
    number INTEGER PRIMARY KEY,
    sequence INTEGER NOT NULL
);

CREATE TABLE mark_records (
    kind TEXT NOT NULL,
    campaign TEXT NOT NULL,
    name TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    contents TEXT,                 -- JSON
    time INTEGER NOT NULL,
    actor TEXT NOT NULL,
    via TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (kind, campaign, name, sequence)
) WITHOUT ROWID;

CREATE TABLE newest_marks (
    kind TEXT NOT NULL,
    campaign TEXT NOT NULL,
    name TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (kind, campaign, name)
) WITHOUT ROWID;

CREATE TABLE output_records (
    arrival INTEGER PRIMARY KEY,
    campaign TEXT NOT NULL,
    workflow TEXT NOT NULL,
    unit TEXT NOT NULL,
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    state TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    checksums TEXT,                -- JSON, like entries
    entries TEXT,
    members TEXT NOT NULL,
    friend_of TEXT NOT NULL,
    time INTEGER NOT NULL
);

CREATE INDEX output_records_of ON output_records (campaign, workflow, unit);

CREATE TABLE fields_records (
    arrival INTEGER PRIMARY KEY,
    campaign TEXT NOT NULL,
    workflow TEXT NOT NULL,
    unit TEXT NOT NULL,
    version INTEGER NOT NULL,
    contents TEXT,                 -- JSON
    time INTEGER NOT NULL
);

CREATE INDEX fields_records_of ON fields_records (campaign, workflow, unit);

-- For people at the sqlite3 prompt.

CREATE VIEW tasks AS
SELECT r.campaign, r.workflow, r.unit, r.status, r.version, r.reason, r.sequence,
       strftime('%Y-%m-%dT%H:%M:%S', r.time / 1000000, 'unixepoch') || printf('.%06dZ', r.time % 1000000) AS at,
       r.actor, r.via, r.environment
FROM newest_tasks AS n JOIN task_records AS r USING (campaign, workflow, unit, sequence);

CREATE VIEW transitions AS
SELECT strftime('%Y-%m-%dT%H:%M:%S', time / 1000000, 'unixepoch') || printf('.%06dZ', time % 1000000) AS at,
       campaign, workflow, unit, sequence, status, version, reason, actor, via, environment
FROM task_records;

CREATE VIEW jobs AS
SELECT r.campaign, r.workflow, r.unit, r.version, r.job, r.attempt, r.status, r.reason, r.failure, r.exit_code, r.host,
       strftime('%Y-%m-%dT%H:%M:%S', r.time / 1000000, 'unixepoch') || printf('.%06dZ', r.time % 1000000) AS at,
       json_extract(r.spec, '$.executor') AS executor, r.handle, r.wall_s, r.peak_memory_mb, r.log
FROM newest_jobs AS n JOIN job_records AS r USING (campaign, workflow, unit, version, job, sequence);

CREATE VIEW runs AS
SELECT r.number, r.attributes, r.is_closed, r.sequence,
       strftime('%Y-%m-%dT%H:%M:%S', r.time / 1000000, 'unixepoch') || printf('.%06dZ', r.time % 1000000) AS at,
       r.actor, r.via
FROM newest_runs AS n JOIN run_records AS r USING (number, sequence);

CREATE VIEW outputs AS
SELECT campaign, workflow, unit, version, name, url, state, bytes, checksums, entries,
       strftime('%Y-%m-%dT%H:%M:%S', time / 1000000, 'unixepoch') || printf('.%06dZ', time % 1000000) AS at
FROM output_records;
