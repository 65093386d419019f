-- How the status of clients changed. It goes with the client.
CREATE TABLE status_change(
  env    TEXT NOT NULL,
  client TEXT NOT NULL,
  n      INTEGER NOT NULL,
  at     INTEGER NOT NULL,
  status TEXT NOT NULL,
  by     TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY(env, client, n)) WITHOUT ROWID;
