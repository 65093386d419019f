-- What administrators put: Client and AccessPolicy resources, every version of
-- them. The last version is the current one; json is NULL where it was deleted.
CREATE TABLE admin_resource(
  env     TEXT NOT NULL,
  type    TEXT NOT NULL,
  id      TEXT NOT NULL,
  version INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  json    TEXT,
  PRIMARY KEY(env, type, id, version)) WITHOUT ROWID;
