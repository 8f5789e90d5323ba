-- Why: an operator has a projection made a second time from its events, looks at what differs, and swaps it in. The wish outlives the process that works
-- on it, two of them never work on one, and what was found and done stays on record.

-- One row per replay. `projection` is the first durable of those that fill the same tables: one unfinished replay at a time has them. `state`: `queued`,
-- `reading` (events are collected), `replaying` (and handled), `ready` (compared; waits to be swapped in until `ready_until`), `swapping`, `swapped` or
-- `stopping` (only leftovers are to be removed), then one of the final ones. `holder` is the attempt that may go on, until `lease_until` on the database's clock; `built_by`
-- the process that has the tables of a `ready` one. `swap_actor` and `swap_reason`: who wants it swapped in; null: nobody yet.
CREATE TABLE event_replays (
  id uuid PRIMARY KEY,
  consumer text NOT NULL,
  projection text NOT NULL,
  from_time timestamptz,
  from_position bigint,
  state text NOT NULL DEFAULT 'queued' CONSTRAINT event_replays_state_known CHECK (
    state IN ('queued', 'reading', 'replaying', 'ready', 'swapping', 'swapped', 'stopping', 'done', 'stopped', 'failed', 'expired')
  ),
  holder uuid,
  lease_until timestamptz,
  built_by text,
  begun integer NOT NULL DEFAULT 0,
  actor text NOT NULL,
  reason text NOT NULL,
  requested_at timestamptz NOT NULL,
  swap_actor text,
  swap_reason text,
  total bigint NOT NULL DEFAULT 0,
  read bigint NOT NULL DEFAULT 0,
  handled bigint NOT NULL DEFAULT 0,
  missing bigint,
  extra bigint,
  different bigint,
  failure text,
  ready_until timestamptz,
  finished_at timestamptz
);

CREATE UNIQUE INDEX event_replays_one_at_a_time ON event_replays (projection) WHERE finished_at IS NULL;
CREATE INDEX event_replays_requested_at ON event_replays (requested_at DESC, id DESC);

-- What differed, as last compared; the first thousand rows. `live` and `replayed` hold the columns that differ, or the whole row where there is only one; json and
-- not jsonb, so that columns stay in their order.
CREATE TABLE event_replay_differences (
  replay uuid NOT NULL REFERENCES event_replays (id) ON DELETE CASCADE,
  n integer NOT NULL,
  table_name text NOT NULL,
  key json NOT NULL,
  kind text NOT NULL,
  live json,
  replayed json,
  PRIMARY KEY (replay, n)
);
