-- Why: a message is decided with the state it tells of, in one transaction, and leaves the house later. Consumers follow dense positions, so the order
-- in which rows became visible is written down once, by one relay, and never changed: not by code (the role may update one column) and not from one
-- value to another (trigger).

-- What this service publishes, kept for ever. `id` comes from a sequence without a cache, so that two rows of one aggregate, whose writers wait for
-- each other, have ids in their order. `aggregate` is the ordering key. `bytes` is the message as JSON. `position` is null until stamped, then dense
-- from 1.
CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY,
  message_id uuid NOT NULL CONSTRAINT outbox_message_id_key UNIQUE,
  aggregate text NOT NULL,
  subject text NOT NULL,
  bytes bytea NOT NULL,
  staged_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  position bigint CONSTRAINT outbox_position_key UNIQUE CONSTRAINT outbox_position_positive CHECK (position > 0)
);

CREATE INDEX outbox_unstamped ON outbox (id) WHERE position IS NULL;

REVOKE UPDATE, DELETE, TRUNCATE ON outbox FROM :"role";
GRANT UPDATE (position) ON outbox TO :"role";

CREATE FUNCTION outbox_position_is_stamped_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'an outbox row is stamped once' USING ERRCODE = 'insufficient_privilege';
END $$;

-- The condition stands here and not in the function, so that the stamping of a row calls none.
CREATE TRIGGER outbox_is_stamped_once BEFORE UPDATE ON outbox
  FOR EACH ROW WHEN (OLD.position IS NOT NULL OR NEW.position IS NULL) EXECUTE FUNCTION outbox_position_is_stamped_once();

-- One row: how far the relay is. A restore from a backup begins a new epoch, because positions after the backup are given out a second time:
-- `epoch_start` is the first position of the epoch, `floor` the lowest position still kept, `head` the highest stamped one, `published` the highest up
-- to which the broker has confirmed every message. `lease_epoch` is the leader that wrote last; an older one writes nothing.
CREATE TABLE outbox_state (
  only_row boolean PRIMARY KEY DEFAULT true CONSTRAINT outbox_state_is_one_row CHECK (only_row),
  epoch bigint NOT NULL DEFAULT 1,
  epoch_start bigint NOT NULL DEFAULT 1,
  floor bigint NOT NULL DEFAULT 1,
  head bigint NOT NULL DEFAULT 0,
  published bigint NOT NULL DEFAULT 0,
  lease_epoch bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

INSERT INTO outbox_state DEFAULT VALUES;

REVOKE INSERT, DELETE ON outbox_state FROM :"role";
