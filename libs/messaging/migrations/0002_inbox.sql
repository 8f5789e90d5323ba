-- Why: the broker may deliver twice, out of order, or lose what it confirmed. A message counts once it is a row here; it is run from here, once, in the
-- order of its aggregate, and retried on our own schedule.

-- Which pass over its stream a consumer lives in. A handler shares a lock on its row, so that a rebuilt generation replaces the live one between two
-- messages and never beside one.
CREATE TABLE inbox_generations (
  consumer text PRIMARY KEY,
  live integer NOT NULL
);

-- How far a consumer has stored its stream without a hole, per generation: a rebuild fills a new one beside the live one. `epoch` and `epoch_start`
-- are the owner's, as last heard.
CREATE TABLE inbox_watermarks (
  consumer text NOT NULL,
  generation integer NOT NULL,
  stream text NOT NULL,
  epoch bigint NOT NULL DEFAULT 1,
  epoch_start bigint NOT NULL DEFAULT 1,
  position bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (consumer, generation)
) WITH (fillfactor = 50);

-- One row per message, consumer and generation. `position` is null only for a message that the owner, restored from a backup, no longer has.
-- `started` counts the attempts that began, `finished` those that came to an end, good or bad: a row that is far behind kills its process.
CREATE TABLE inbox (
  consumer text NOT NULL,
  generation integer NOT NULL,
  message_id uuid NOT NULL,
  epoch bigint NOT NULL,
  position bigint,
  subject text NOT NULL,
  aggregate text NOT NULL,
  bytes bytea NOT NULL,
  state text NOT NULL DEFAULT 'pending' CONSTRAINT inbox_state_known CHECK (state IN ('pending', 'done', 'dead', 'discarded')),
  started integer NOT NULL DEFAULT 0,
  finished integer NOT NULL DEFAULT 0,
  failures integer NOT NULL DEFAULT 0,
  first_failed_at timestamptz,
  reason text,
  stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  handled_at timestamptz,
  PRIMARY KEY (consumer, generation, message_id),
  CONSTRAINT inbox_position_key UNIQUE (consumer, generation, position)
);

-- What still holds its lane.
CREATE INDEX inbox_unhandled ON inbox (consumer, generation, aggregate, position) WHERE state IN ('pending', 'dead');

-- One row per aggregate with unhandled messages: the lowest of them, when it may run (infinity: a dead one holds the lane), and which worker has it.
-- `expires_at` is on the database's clock, `due_at` on the clock of the product.
CREATE TABLE inbox_lanes (
  consumer text NOT NULL,
  generation integer NOT NULL,
  aggregate text NOT NULL,
  position bigint NOT NULL,
  due_at timestamptz NOT NULL DEFAULT '-infinity',
  holder text,
  lease bigint NOT NULL DEFAULT 0,
  expires_at timestamptz,
  PRIMARY KEY (consumer, generation, aggregate)
) WITH (fillfactor = 50);

CREATE INDEX inbox_lanes_due ON inbox_lanes (consumer, generation, due_at, position);
