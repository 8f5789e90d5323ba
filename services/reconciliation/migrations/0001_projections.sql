-- The two sides of every comparison as the event streams tell them. All of it can be dropped and comes back equal by replaying the streams, so
-- nothing here may depend on the order of arrival across objects, on a clock or on a sequence.
-- A function makes them, because a rebuild starts by making what was dropped and the service's role may create nothing in its schema.

CREATE FUNCTION create_projection_tables() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = reconciliation, pg_temp SET client_min_messages = warning AS $$
BEGIN
  -- What payments says of each payment: the newest published snapshot. `epoch` and `version` (the aggregate's) decide which one is newer; after a
  -- restore of payments' database the epoch is higher and the versions begin lower.
  CREATE TABLE IF NOT EXISTS recorded_payments (
    payment_id text NOT NULL,
    tenant text NOT NULL,
    status text NOT NULL,
    amount bigint NOT NULL,
    amount_captured bigint NOT NULL,
    amount_refunded bigint NOT NULL,
    currency text NOT NULL,
    stripe_payment_intent text,
    livemode boolean NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    epoch integer NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT recorded_payments_pkey PRIMARY KEY (payment_id)
  );
  CREATE INDEX IF NOT EXISTS recorded_payments_stripe_payment_intent ON recorded_payments (stripe_payment_intent);
  CREATE INDEX IF NOT EXISTS recorded_payments_created_at ON recorded_payments (tenant, created_at, payment_id);
  -- The stale loop looks at the few that are not final.
  CREATE INDEX IF NOT EXISTS recorded_payments_open ON recorded_payments (updated_at) WHERE status NOT IN ('succeeded', 'canceled', 'failed');

  -- What payments says of each refund, from the same snapshots. `first_told_at` is the time of the first event that mentions it.
  CREATE TABLE IF NOT EXISTS recorded_refunds (
    refund_id text NOT NULL,
    payment_id text NOT NULL,
    tenant text NOT NULL,
    status text NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    stripe_refund text,
    first_told_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    epoch integer NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT recorded_refunds_pkey PRIMARY KEY (refund_id)
  );
  CREATE INDEX IF NOT EXISTS recorded_refunds_stripe_refund ON recorded_refunds (stripe_refund);
  CREATE INDEX IF NOT EXISTS recorded_refunds_first_told_at ON recorded_refunds (tenant, first_told_at, refund_id);

  -- What Stripe's events say of each payment intent, charge and refund. Deliveries come in any order, so the row is the highest by
  -- (standing, as_of, status_rank, event_id): the order is total, hence the outcome does not depend on the order of arrival.
  CREATE TABLE IF NOT EXISTS stripe_objects (
    object_id text COLLATE "C" NOT NULL,
    object text NOT NULL,
    status text,
    payment_intent text,
    payment_id text,
    tenant text NOT NULL,
    amount bigint,
    amount_captured bigint,
    amount_refunded bigint,
    currency text,
    livemode boolean NOT NULL,
    stripe_created timestamptz,
    standing smallint NOT NULL,
    as_of timestamptz NOT NULL,
    status_rank smallint NOT NULL,
    event_id text COLLATE "C" NOT NULL,
    CONSTRAINT stripe_objects_pkey PRIMARY KEY (object_id)
  );
  CREATE INDEX IF NOT EXISTS stripe_objects_payment_id ON stripe_objects (payment_id) WHERE object = 'payment_intent';
  -- The stale loop compares what Stripe said lately.
  CREATE INDEX IF NOT EXISTS stripe_objects_as_of ON stripe_objects (as_of) WHERE object IN ('payment_intent', 'refund');
END
$$;

SELECT create_projection_tables();
