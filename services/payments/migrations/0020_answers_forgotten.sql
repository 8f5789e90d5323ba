-- Answers of requests are kept for 90 days and then forgotten; their keys stay. The job that forgets them looks at what was created since it last looked, through an index
-- that says only in which blocks of the table a time is: one of every row would have to be written with each answer, which now finds room beside its key.
CREATE INDEX idempotency_keys_created_at_brin ON idempotency_keys USING brin (created_at);

-- One row per job: everything created before `done_until` has been looked at.
CREATE TABLE retention_progress (
  job text PRIMARY KEY,
  done_until timestamptz NOT NULL
);
INSERT INTO retention_progress (job, done_until) VALUES ('answers', '-infinity');
REVOKE INSERT, DELETE ON retention_progress FROM :"role";
