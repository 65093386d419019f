-- Facts about the store itself: the table of search parameters it was indexed with.
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- The current state of every resource. live = 0 is a tombstone: its search,
-- compartment and organization rows are those of the last live version.
-- pack = 0: the bytes are the loose row of seq. Times are milliseconds since 1970.
CREATE TABLE resource(
  rid  INTEGER PRIMARY KEY,
  type TEXT NOT NULL,
  id   TEXT NOT NULL,
  live INTEGER NOT NULL,
  seq  INTEGER NOT NULL,
  vid  INTEGER NOT NULL,
  at   INTEGER NOT NULL,
  org  TEXT NOT NULL,
  pack INTEGER NOT NULL,
  off  INTEGER NOT NULL,
  len  INTEGER NOT NULL,
  UNIQUE(type, id));

-- The log of versions: rows are added, never changed. op is C, U or D.
CREATE TABLE version(
  seq  INTEGER PRIMARY KEY,
  rid  INTEGER NOT NULL,
  vid  INTEGER NOT NULL,
  at   INTEGER NOT NULL,
  op   TEXT NOT NULL,
  pack INTEGER NOT NULL,
  off  INTEGER NOT NULL,
  len  INTEGER NOT NULL);

-- Bodies. A loose row is one version's JSON; a pack is an immutable file of
-- NDJSON of one type beside the database; dead counts its rows that are no
-- longer the current state of a live resource.
CREATE TABLE loose(seq INTEGER PRIMARY KEY, json BLOB NOT NULL);
CREATE TABLE pack(
  pack  INTEGER PRIMARY KEY,
  type  TEXT NOT NULL,
  rows  INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  dead  INTEGER NOT NULL);

CREATE TABLE compartment(
  patient TEXT NOT NULL, type TEXT NOT NULL, rid INTEGER NOT NULL,
  PRIMARY KEY(patient, type, rid)) WITHOUT ROWID;
CREATE TABLE member(
  grp TEXT NOT NULL, member TEXT NOT NULL, joined INTEGER NOT NULL, ended INTEGER NOT NULL, inactive INTEGER NOT NULL, rid INTEGER NOT NULL,
  PRIMARY KEY(grp, member, joined, ended, inactive)) WITHOUT ROWID;

-- Search values by kind of parameter. Each table lies in the order of its
-- resource, so that one more condition on a known resource is one look-up;
-- the index beside it leads from a value to its resources.
CREATE TABLE ix_token(
  rid INTEGER NOT NULL, param INTEGER NOT NULL, code TEXT NOT NULL COLLATE NOCASE, system TEXT NOT NULL,
  PRIMARY KEY(rid, param, code, system)) WITHOUT ROWID;
CREATE TABLE ix_string(
  rid INTEGER NOT NULL, param INTEGER NOT NULL, norm TEXT NOT NULL, exact TEXT NOT NULL,
  PRIMARY KEY(rid, param, norm, exact)) WITHOUT ROWID;
CREATE TABLE ix_ref(
  rid INTEGER NOT NULL, param INTEGER NOT NULL, target TEXT NOT NULL,
  PRIMARY KEY(rid, param, target)) WITHOUT ROWID;
CREATE TABLE ix_uri(
  rid INTEGER NOT NULL, param INTEGER NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY(rid, param, value)) WITHOUT ROWID;
CREATE TABLE ix_number(
  rid INTEGER NOT NULL, param INTEGER NOT NULL, lo REAL NOT NULL, hi REAL NOT NULL,
  system TEXT NOT NULL, code TEXT NOT NULL, unit TEXT NOT NULL,
  PRIMARY KEY(rid, param, lo, hi, system, code, unit)) WITHOUT ROWID;
-- [lo, hi) in milliseconds. span is the class of hi - lo: at most a second (0),
-- a day (1), 31 days (2), 366 days (3), or longer (4). Within one class both
-- ends of a search are bounds on lo.
CREATE TABLE ix_date(
  rid INTEGER NOT NULL, param INTEGER NOT NULL, span INTEGER NOT NULL, lo INTEGER NOT NULL, hi INTEGER NOT NULL,
  PRIMARY KEY(rid, param, span, lo, hi)) WITHOUT ROWID;
