-- The two-way compare grows to subscriptions and invoices. What these tables say of the time before this migration comes from a replay:
-- `tidegate events replay --consumer reconciliation-payments`.

CREATE FUNCTION create_billing_tables() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = reconciliation, pg_temp SET client_min_messages = warning AS $$
BEGIN
  -- What payments says of each subscription: the newest published snapshot, by (epoch, version). Ids and `created_at` are Stripe's.
  CREATE TABLE IF NOT EXISTS recorded_subscriptions (
    subscription_id text NOT NULL,
    tenant text NOT NULL,
    status text NOT NULL,
    items jsonb NOT NULL,
    current_period_end timestamptz,
    cancel_at_period_end boolean NOT NULL,
    livemode boolean NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    epoch integer NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT recorded_subscriptions_pkey PRIMARY KEY (subscription_id)
  );
  CREATE INDEX IF NOT EXISTS recorded_subscriptions_created_at ON recorded_subscriptions (tenant, created_at, subscription_id);

  -- The same of each invoice; `deleted` is a status. Amounts in minor units.
  CREATE TABLE IF NOT EXISTS recorded_invoices (
    invoice_id text NOT NULL,
    tenant text NOT NULL,
    status text NOT NULL,
    amount_due bigint NOT NULL,
    amount_paid bigint NOT NULL,
    amount_remaining bigint NOT NULL,
    currency text NOT NULL,
    attempt_count integer NOT NULL,
    next_payment_attempt timestamptz,
    payment_intents text[] NOT NULL,
    livemode boolean NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    epoch integer NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT recorded_invoices_pkey PRIMARY KEY (invoice_id)
  );
  CREATE INDEX IF NOT EXISTS recorded_invoices_created_at ON recorded_invoices (tenant, created_at, invoice_id);
END
$$;

SELECT create_billing_tables();
