-- The two-way compare grows to charges, disputes, checkout sessions and receipts, and a run goes on where it was when its process died. What these tables
-- say of the time before this migration comes from a replay: `tidegate events replay --consumer reconciliation-payments` (and `…-receipts`).

CREATE FUNCTION create_compare_tables() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = reconciliation, pg_temp SET client_min_messages = warning AS $$
BEGIN
  -- What payments says of each dispute, from its snapshots. `created_at` is Stripe's.
  CREATE TABLE IF NOT EXISTS recorded_disputes (
    dispute_id text NOT NULL,
    payment_id text NOT NULL,
    tenant text NOT NULL,
    status text NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    epoch integer NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT recorded_disputes_pkey PRIMARY KEY (dispute_id)
  );
  CREATE INDEX IF NOT EXISTS recorded_disputes_created_at ON recorded_disputes (tenant, created_at, dispute_id);

  -- What payments says of each checkout: the newest published snapshot, by (epoch, version).
  CREATE TABLE IF NOT EXISTS recorded_checkouts (
    checkout_id text NOT NULL,
    tenant text NOT NULL,
    status text NOT NULL,
    payment_status text NOT NULL,
    payment_id text,
    amount bigint NOT NULL,
    currency text NOT NULL,
    stripe_checkout_session text,
    livemode boolean NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    epoch integer NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT recorded_checkouts_pkey PRIMARY KEY (checkout_id)
  );
  CREATE INDEX IF NOT EXISTS recorded_checkouts_session ON recorded_checkouts (stripe_checkout_session);
  CREATE INDEX IF NOT EXISTS recorded_checkouts_created_at ON recorded_checkouts (tenant, created_at, checkout_id);

  -- Which receipts were issued, as receipts says.
  CREATE TABLE IF NOT EXISTS recorded_receipts (
    receipt_id text NOT NULL,
    payment_id text NOT NULL,
    tenant text NOT NULL,
    kind text NOT NULL,
    number text NOT NULL,
    issued_at timestamptz NOT NULL,
    CONSTRAINT recorded_receipts_pkey PRIMARY KEY (receipt_id)
  );
  CREATE INDEX IF NOT EXISTS recorded_receipts_payment ON recorded_receipts (payment_id);
END
$$;

SELECT create_compare_tables();

CREATE FUNCTION extend_run_tables() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = reconciliation, pg_temp SET client_min_messages = warning AS $$
BEGIN
  -- Our own id of the object; of a payment it is payment_id.
  ALTER TABLE discrepancies ADD COLUMN IF NOT EXISTS local_id text;
END
$$;

SELECT extend_run_tables();

-- Where a running run is. `until`: what was made later is no business of it. `kind` and `cursor`: the list that is being read and the last object of its
-- last page; `kind` is null when every list was read. `started_at` is when it was first begun, on the database's clock.
ALTER TABLE run_progress
  ADD COLUMN until timestamptz,
  ADD COLUMN started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ADD COLUMN phase text NOT NULL DEFAULT 'listing' CONSTRAINT run_progress_phase_known CHECK (phase IN ('listing', 'recorded', 'second_read', 'report')),
  ADD COLUMN kind text,
  ADD COLUMN cursor text,
  ADD COLUMN done double precision NOT NULL DEFAULT 0,
  ADD COLUMN tallies jsonb NOT NULL DEFAULT '{}';

-- What a running run has to look at again, and what it found of it. `findings` are the ones of the last look, `since` since when they have been the same;
-- settled when they count, then `outcomes` holds what was done about each. Emptied when the run ends.
CREATE TABLE run_suspects (
  run_id text NOT NULL,
  object text NOT NULL,
  key text NOT NULL,
  number bigint GENERATED ALWAYS AS IDENTITY,
  tenant text NOT NULL,
  local_id text,
  stripe_id text,
  findings jsonb,
  since timestamptz,
  settled boolean NOT NULL DEFAULT false,
  outcomes jsonb,
  CONSTRAINT run_suspects_pkey PRIMARY KEY (run_id, object, key)
);
CREATE INDEX run_suspects_in_order ON run_suspects (run_id, number);

-- Refunds and payments that share an object id with another kind cannot be told apart without it.
ALTER TABLE run_seen DROP CONSTRAINT run_seen_pkey, ADD COLUMN object text NOT NULL DEFAULT 'payment',
  ADD CONSTRAINT run_seen_pkey PRIMARY KEY (run_id, object, object_id);
