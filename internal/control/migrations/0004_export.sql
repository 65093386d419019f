-- Jobs keep when they go and how their client polls.
ALTER TABLE job ADD COLUMN expires INTEGER NOT NULL DEFAULT 0;
UPDATE job SET expires = created + 24 * 3600 * 1000;
ALTER TABLE job ADD COLUMN early INTEGER NOT NULL DEFAULT 0;       -- status requests that came too early
ALTER TABLE job ADD COLUMN polled INTEGER NOT NULL DEFAULT 0;      -- the last one, by the workspace's clock
ALTER TABLE job ADD COLUMN polled_wall INTEGER NOT NULL DEFAULT 0; -- and in real time
ALTER TABLE job ADD COLUMN told INTEGER NOT NULL DEFAULT 0;        -- its Retry-After, in milliseconds
ALTER TABLE job_file ADD COLUMN continues INTEGER NOT NULL DEFAULT 0;
DROP INDEX job_created;
CREATE INDEX job_expires ON job(env, expires);
CREATE INDEX job_client ON job(env, client);

-- The transactionTimes of a client's exports, which stay when the jobs go.
CREATE TABLE transaction_time(
  env    TEXT NOT NULL,
  client TEXT NOT NULL,
  at     INTEGER NOT NULL,
  PRIMARY KEY(env, client, at)) WITHOUT ROWID;
