-- Why: the events are the record from which everything else can be rebuilt, so no code path of the service may change or remove one: the role lacks
-- the right, and a trigger refuses even the owner.

-- One row per domain event. `version` counts a stream from 1 without a hole; two writers that both saw version n collide on events_stream_version_key.
-- `position` orders all rows of the schema, with holes after rollbacks; `type_version` is the version of the event's shape.
CREATE TABLE events (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  stream text NOT NULL,
  version integer NOT NULL CONSTRAINT events_version_positive CHECK (version > 0),
  type text NOT NULL,
  type_version integer NOT NULL DEFAULT 1,
  data jsonb NOT NULL,
  metadata jsonb NOT NULL,
  occurred_at timestamptz NOT NULL,
  CONSTRAINT events_stream_version_key UNIQUE (stream, version)
);

REVOKE UPDATE, DELETE, TRUNCATE ON events FROM :"role";

CREATE FUNCTION refuse_change_of_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'events are insert-only' USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER events_are_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_events();
