-- Every event that Stripe told us, as it was told, whether anybody handles it or not. A delivery is answered 2xx only after its row is
-- committed here, so this table is the source of truth of the service: everything that is published is derived from it.

-- One row per Stripe event. `payload` holds the bytes as they were signed (or, for a swept event, as listed) and is the only place of this
-- service where a client_secret may be. `created` is Stripe's time of the event and never changes, which makes it fit to partition by: a
-- redelivery, however late, meets the primary key in the same partition.
-- `object_id` is the object that the event is about.
-- `source`: `webhook` is a signed snapshot; `thin` (a signed notice without the object) and `sweep` (found in Stripe's list) are hints whose
-- object has to be retrieved before they are published.
-- `processing_outcome`: `received`, then `published`, then what the consumers made of it; `failed` with a reason when it could not be
-- published or a consumer gave up.
CREATE TABLE stripe_events (
  stripe_event_id text NOT NULL,
  created timestamptz NOT NULL,
  event_type text NOT NULL,
  object_id text,
  tenant_hint text,
  account text,
  livemode boolean NOT NULL,
  api_version text,
  payload bytea NOT NULL,
  source text NOT NULL,
  traceparent text,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  published_at timestamptz,
  retry_at timestamptz,
  processing_outcome text NOT NULL DEFAULT 'received',
  processing_error text,
  attempts integer NOT NULL DEFAULT 0,
  processed_at timestamptz,
  CONSTRAINT stripe_events_pkey PRIMARY KEY (created, stripe_event_id),
  CONSTRAINT stripe_events_source_known CHECK (source IN ('webhook', 'thin', 'sweep')),
  CONSTRAINT stripe_events_outcome_known CHECK (
    processing_outcome IN ('received', 'published', 'processed', 'ignored', 'foreign', 'parked', 'failed')
  )
) PARTITION BY RANGE (created);

-- Takes what no other partition takes (a clock far off, an event months old), so that an insert never fails for want of a partition.
CREATE TABLE stripe_events_default PARTITION OF stripe_events DEFAULT;

-- Outcomes and operators know an event by its id alone.
CREATE INDEX stripe_events_stripe_event_id ON stripe_events (stripe_event_id);
-- "What did Stripe tell us about this payment?"
CREATE INDEX stripe_events_object_id ON stripe_events (object_id);
-- The queue of the normalizing loop, in order of arrival; small, because a published row leaves it.
CREATE INDEX stripe_events_unpublished ON stripe_events (received_at, created, stripe_event_id) WHERE published_at IS NULL;

-- The service does not own its tables, so it cannot make partitions; this function does, and nothing else. It returns false when the month's
-- rows already sit in the default partition: they stay there, which is slower and not wrong.
CREATE FUNCTION ensure_stripe_events_partition(month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = webhooks, pg_temp AS $$
DECLARE
  first_day date := date_trunc('month', month)::date;
  next_month date := (date_trunc('month', month) + interval '1 month')::date;
  partition text := 'stripe_events_' || to_char(first_day, 'YYYY_MM');
  lower_bound timestamptz := first_day::timestamp AT TIME ZONE 'UTC';
  upper_bound timestamptz := next_month::timestamp AT TIME ZONE 'UTC';
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('webhooks.stripe_events.partitions'));
  IF to_regclass('webhooks.' || partition) IS NOT NULL THEN
    RETURN true;
  END IF;
  IF EXISTS (SELECT 1 FROM stripe_events_default WHERE created >= lower_bound AND created < upper_bound) THEN
    RETURN false;
  END IF;
  SET LOCAL lock_timeout = '2s';
  EXECUTE format('CREATE TABLE %I PARTITION OF stripe_events FOR VALUES FROM (%L) TO (%L)', partition, lower_bound, upper_bound);
  RETURN true;
END
$$;

-- What each consumer reported about an event (`<service>.events.stripe_event.handled.v1`); `stripe_events.processing_outcome` sums them up.
CREATE TABLE stripe_event_outcomes (
  stripe_event_id text NOT NULL,
  consumer text NOT NULL,
  outcome text NOT NULL,
  reason text,
  reported_at timestamptz NOT NULL,
  CONSTRAINT stripe_event_outcomes_pkey PRIMARY KEY (stripe_event_id, consumer)
);

-- How many events were published per Stripe object: the `aggregate.version` of their envelopes. Taking a number locks the row, which keeps
-- the versions of one object dense when two replicas publish at once.
CREATE TABLE published_versions (
  aggregate text NOT NULL,
  version bigint NOT NULL,
  CONSTRAINT published_versions_pkey PRIMARY KEY (aggregate)
);

-- Up to which Stripe time the list of events has been read completely. `epoch` is the leader's: a deposed leader's write is refused.
CREATE TABLE sweep_cursors (
  name text NOT NULL,
  swept_until timestamptz NOT NULL,
  epoch bigint NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT sweep_cursors_pkey PRIMARY KEY (name)
);
