-- What people see of a job while it runs: true numbers, not only a share.
ALTER TABLE job ADD COLUMN detail jsonb;  -- {done, total, bytes, seconds_left}: what its stage counts; null when over
