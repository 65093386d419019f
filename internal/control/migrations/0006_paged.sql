-- Jobs say how many of their files are on pages of the manifest.
UPDATE job SET json = json_set(json, '$.paged', (SELECT COUNT(*) FROM job_file f WHERE f.job = job.id AND f.kind <> 'error'));
