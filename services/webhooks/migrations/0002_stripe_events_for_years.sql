-- Why: ten million events are kept for months. What operators ask for (one event, what failed, one tenant, one type) is an index scan however many there are, and
-- a month that nobody needs any more is dropped as a table, not deleted row by row: its outcomes with it.

-- What failed, waits for its parent or is none of ours, by time. The other outcomes are most of the table and need no index.
CREATE INDEX stripe_events_wanting ON stripe_events (processing_outcome, created, stripe_event_id)
  WHERE processing_outcome IN ('failed', 'parked', 'foreign');
-- One tenant's events by time; an event whose object names none belongs to the default tenant.
CREATE INDEX stripe_events_tenant ON stripe_events ((coalesce(tenant_hint, 'default')), created, stripe_event_id);
-- One type by time: the rare ones are what people look for.
CREATE INDEX stripe_events_type ON stripe_events (event_type, created, stripe_event_id);

-- What each consumer reported about an event (`<service>.events.stripe_event.handled.v1`), partitioned like the events: `created` is the event's.
ALTER TABLE stripe_event_outcomes RENAME CONSTRAINT stripe_event_outcomes_pkey TO stripe_event_outcomes_before_pkey;
ALTER TABLE stripe_event_outcomes RENAME TO stripe_event_outcomes_before;
CREATE TABLE stripe_event_outcomes (
  created timestamptz NOT NULL,
  stripe_event_id text NOT NULL,
  consumer text NOT NULL,
  outcome text NOT NULL,
  reason text,
  reported_at timestamptz NOT NULL,
  CONSTRAINT stripe_event_outcomes_pkey PRIMARY KEY (created, stripe_event_id, consumer)
) PARTITION BY RANGE (created);
CREATE TABLE stripe_event_outcomes_default PARTITION OF stripe_event_outcomes DEFAULT;

-- The service does not own its tables, so it cannot make partitions; this function does, for a month of events and of their outcomes. It returns false when
-- rows of the month already sit in a default partition: they stay there, which is slower and not wrong.
CREATE OR REPLACE FUNCTION ensure_stripe_events_partition(month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = webhooks, pg_temp AS $$
DECLARE
  first_day date := date_trunc('month', month)::date;
  lower_bound timestamptz := first_day::timestamp AT TIME ZONE 'UTC';
  upper_bound timestamptz := (first_day + interval '1 month')::timestamp AT TIME ZONE 'UTC';
  parent text;
  partition text;
  taken boolean;
  complete boolean := true;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('webhooks.stripe_events.partitions'));
  SET LOCAL lock_timeout = '2s';
  FOREACH parent IN ARRAY ARRAY['stripe_events', 'stripe_event_outcomes'] LOOP
    partition := parent || to_char(first_day, '_YYYY_MM');
    CONTINUE WHEN to_regclass('webhooks.' || partition) IS NOT NULL;
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I WHERE created >= $1 AND created < $2)', parent || '_default')
      INTO taken USING lower_bound, upper_bound;
    IF taken THEN
      complete := false;
    ELSE
      EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', partition, parent, lower_bound, upper_bound);
    END IF;
  END LOOP;
  RETURN complete;
END
$$;

-- Months of events that are there, oldest first, with the time at which each ends, and whether some of its events were never published.
CREATE FUNCTION stripe_events_partitions() RETURNS TABLE (month date, ends_at timestamptz, holds_unpublished boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = webhooks, pg_temp AS $$
DECLARE
  partition text;
BEGIN
  FOR partition IN
    SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'stripe_events'::regclass AND c.relname ~ '^stripe_events_\d{4}_\d{2}$' ORDER BY c.relname
  LOOP
    month := to_date(right(partition, 7), 'YYYY_MM');
    ends_at := (month + interval '1 month')::timestamp AT TIME ZONE 'UTC';
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I WHERE published_at IS NULL)', partition) INTO holds_unpublished;
    RETURN NEXT;
  END LOOP;
END
$$;

-- Drops a month of events and of their outcomes. Deliveries wait while the tables are locked, so it gives up soon (lock_not_available) when a long query is in
-- the way, and is called again. False when there is no such month or some of its events were never published: those are promised to take effect.
CREATE FUNCTION drop_stripe_events_partition(month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = webhooks, pg_temp AS $$
DECLARE
  suffix text := to_char(month, '_YYYY_MM');
  held boolean;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('webhooks.stripe_events.partitions'));
  IF to_regclass('webhooks.stripe_events' || suffix) IS NULL THEN
    RETURN false;
  END IF;
  SET LOCAL lock_timeout = '500ms';
  LOCK TABLE ONLY stripe_events, ONLY stripe_event_outcomes IN ACCESS EXCLUSIVE MODE;
  EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I WHERE published_at IS NULL)', 'stripe_events' || suffix) INTO held;
  IF held THEN
    RETURN false;
  END IF;
  EXECUTE format('DROP TABLE %I', 'stripe_events' || suffix);
  EXECUTE format('DROP TABLE IF EXISTS %I', 'stripe_event_outcomes' || suffix);
  RETURN true;
END
$$;

-- The outcomes that are known move over, each to the month of its event; those of events that are not here tell nobody anything.
DO $$
DECLARE
  month date;
BEGIN
  FOR month IN SELECT p.month FROM stripe_events_partitions() AS p LOOP
    PERFORM ensure_stripe_events_partition(month);
  END LOOP;
END
$$;
INSERT INTO stripe_event_outcomes (created, stripe_event_id, consumer, outcome, reason, reported_at)
  SELECT e.created, o.stripe_event_id, o.consumer, o.outcome, o.reason, o.reported_at
  FROM stripe_event_outcomes_before AS o JOIN stripe_events AS e ON e.stripe_event_id = o.stripe_event_id;
DROP TABLE stripe_event_outcomes_before;
