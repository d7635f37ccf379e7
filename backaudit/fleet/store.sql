CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- A run over all that was asked for; one that was interrupted is gone on with.
CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  started TEXT NOT NULL,
  ended TEXT,
  status TEXT NOT NULL,
  tool TEXT NOT NULL,
  stamp TEXT NOT NULL,
  policy TEXT NOT NULL,
  sources INTEGER NOT NULL
);
CREATE TABLE repositories (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  url TEXT NOT NULL,
  ref TEXT NOT NULL,
  labels TEXT NOT NULL
);
-- What came of a repository in a run. "families": how many findings of each family were open then.
CREATE TABLE scans (
  run INTEGER NOT NULL REFERENCES runs,
  repository INTEGER NOT NULL REFERENCES repositories,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  commit_id TEXT NOT NULL,
  key TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  worker TEXT NOT NULL,
  files INTEGER NOT NULL,
  routes INTEGER NOT NULL,
  tables INTEGER NOT NULL,
  collections INTEGER NOT NULL,
  accepted INTEGER NOT NULL,
  critical INTEGER NOT NULL,
  high INTEGER NOT NULL,
  medium INTEGER NOT NULL,
  low INTEGER NOT NULL,
  families TEXT NOT NULL,
  seconds REAL NOT NULL,
  fetch_seconds REAL NOT NULL,
  megabytes INTEGER NOT NULL,
  finished TEXT NOT NULL,
  PRIMARY KEY (run, repository)
) WITHOUT ROWID;
CREATE INDEX scans_repository ON scans (repository, run);
-- Each finding once: the runs that saw it first and last, and the one that did not see it any more.
CREATE TABLE findings (
  repository INTEGER NOT NULL REFERENCES repositories,
  fingerprint TEXT NOT NULL,
  rule TEXT NOT NULL,
  family TEXT NOT NULL,
  severity TEXT NOT NULL,
  confidence TEXT NOT NULL,
  path TEXT NOT NULL,
  line INTEGER NOT NULL,
  column_ INTEGER NOT NULL,
  scope TEXT NOT NULL,
  message TEXT NOT NULL,
  remedy TEXT NOT NULL,
  first_run INTEGER NOT NULL REFERENCES runs,
  last_run INTEGER NOT NULL REFERENCES runs,
  fixed_run INTEGER REFERENCES runs,
  PRIMARY KEY (repository, fingerprint)
) WITHOUT ROWID;
CREATE INDEX findings_first ON findings (first_run);
CREATE INDEX findings_fixed ON findings (fixed_run);
CREATE TABLE problems (
  repository INTEGER NOT NULL REFERENCES repositories,
  path TEXT NOT NULL,
  kind TEXT NOT NULL,
  line INTEGER NOT NULL,
  message TEXT NOT NULL
);
CREATE INDEX problems_repository ON problems (repository);
-- The reports of the last scan, as `backaudit scan` writes them, compressed by zlib.
CREATE TABLE reports (
  repository INTEGER NOT NULL REFERENCES repositories,
  format TEXT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (repository, format)
) WITHOUT ROWID;
