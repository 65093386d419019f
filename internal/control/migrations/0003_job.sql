-- Jobs are dropped by age.
DROP INDEX job_client;
CREATE INDEX job_created ON job(env, created);

-- Of a job with deletions whose types it does not name, nobody can say who may
-- read them.
DELETE FROM job WHERE id IN (SELECT job FROM job_file WHERE kind = 'deleted');
DELETE FROM job_file WHERE job NOT IN (SELECT id FROM job);
