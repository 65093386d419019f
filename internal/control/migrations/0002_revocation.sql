-- When a revocation can be forgotten, by real time: no workspace's clock moves it.
ALTER TABLE revoked_token RENAME COLUMN expires TO forget;
UPDATE revoked_token SET forget = forget + 7 * 24 * 3600 * 1000;
