-- What a workspace knows beside FHIR data. env is an environment's name; times
-- are milliseconds since 1970.

CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE client(
  env        TEXT NOT NULL,
  id         TEXT NOT NULL,
  generation INTEGER NOT NULL,
  created    INTEGER NOT NULL,
  json       TEXT NOT NULL,
  PRIMARY KEY(env, id)) WITHOUT ROWID;
CREATE INDEX client_recent ON client(env, created);

CREATE TABLE signing_key(
  env     TEXT NOT NULL,
  id      TEXT NOT NULL,
  pkcs8   BLOB NOT NULL,
  created INTEGER NOT NULL,
  PRIMARY KEY(env, id)) WITHOUT ROWID;

CREATE TABLE jti(
  env      TEXT NOT NULL,
  iss      TEXT NOT NULL,
  jti      TEXT NOT NULL,
  exchange TEXT NOT NULL,
  at       INTEGER NOT NULL,
  expires  INTEGER NOT NULL,
  PRIMARY KEY(env, iss, jti)) WITHOUT ROWID;

CREATE TABLE revoked_token(
  env     TEXT NOT NULL,
  id      TEXT NOT NULL,
  expires INTEGER NOT NULL,
  PRIMARY KEY(env, id)) WITHOUT ROWID;

-- An export job with its files; both go when the job is deleted or has expired.
CREATE TABLE job(
  id       TEXT PRIMARY KEY,
  env      TEXT NOT NULL,
  client   TEXT NOT NULL,
  created  INTEGER NOT NULL,
  polls    INTEGER NOT NULL DEFAULT 0,
  json     TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX job_client ON job(env, client);
CREATE TABLE job_file(
  job     TEXT NOT NULL,
  n       INTEGER NOT NULL,
  kind    TEXT NOT NULL,
  type    TEXT NOT NULL,
  rows    INTEGER NOT NULL,
  bytes   INTEGER NOT NULL,
  extents BLOB NOT NULL,
  PRIMARY KEY(job, n));
