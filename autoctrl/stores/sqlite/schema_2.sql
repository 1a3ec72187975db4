-- What version 2 adds to the tables.

CREATE TABLE heartbeats (          -- the last one of each campaign; it is overwritten, and no record
    campaign TEXT PRIMARY KEY,
    time INTEGER NOT NULL,         -- when a round ended
    owner TEXT NOT NULL
) WITHOUT ROWID;
