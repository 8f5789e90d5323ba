-- Why: when a consumer was wrong and is right now, an operator has events published once more, one or a million. What was ordered, by whom and why, and how far it
-- is, stands here, so that it survives any process and can be stopped and gone on with.

-- `message_id` is the message that the event was published as first: every replay names it, and that is how a consumer knows what it has handled. `replay_job` is
-- the replay that took the event last; while `published_at` is null, that replay is still to be published.
ALTER TABLE stripe_events ADD COLUMN message_id uuid, ADD COLUMN replay_job text;
-- How the events of one replay stand.
CREATE INDEX stripe_events_replayed ON stripe_events (replay_job, processing_outcome) WHERE replay_job IS NOT NULL;

UPDATE stripe_events AS e SET message_id = o.message_id
  FROM (SELECT message_id, convert_from(bytes, 'UTF8')::json #>> '{data,stripe_event_id}' AS stripe_event_id FROM outbox) AS o
  WHERE e.stripe_event_id = o.stripe_event_id AND e.published_at IS NOT NULL;

-- One row per replay. Events are taken in the order of (created, stripe_event_id), each at most once: the cursor names the last one taken, null before
-- the first, and moves in the transaction that takes it. `as_of` is on the database's clock, like `received_at`: what came later is not part of it. `tenant` null: all tenants. `more`: there
-- were more than `matched` when they were counted. `lease_epoch`: the leader that wrote last; an older one takes nothing.
CREATE TABLE replay_jobs (
  id text PRIMARY KEY,
  status text NOT NULL DEFAULT 'running',
  tenant text,
  filter jsonb NOT NULL,
  actor text NOT NULL,
  reason text NOT NULL,
  matched bigint NOT NULL,
  more boolean NOT NULL,
  taken bigint NOT NULL DEFAULT 0,
  cursor_created timestamptz,
  cursor_id text,
  as_of timestamptz NOT NULL DEFAULT clock_timestamp(),
  ordered_at timestamptz NOT NULL,
  finished_at timestamptz,
  lease_epoch bigint NOT NULL DEFAULT 0,
  CONSTRAINT replay_jobs_status_known CHECK (status IN ('running', 'stopped', 'completed'))
);
CREATE INDEX replay_jobs_ordered_at ON replay_jobs (ordered_at DESC, id);
CREATE INDEX replay_jobs_running ON replay_jobs (ordered_at, id) WHERE status = 'running';
