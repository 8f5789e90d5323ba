-- Why: subscriptions and invoices live at Stripe, where their states come and go: past due, active again. What is kept here is what Stripe showed when it was last
-- asked (docs/adr/0025). Both tables are projections of the events in streams `subscription:<id>` and `invoice:<id>`, each of which says all there was to see.

-- A subscription as Stripe showed it, under Stripe's id. `version` is its stream's; `seen_at` when the request began that showed it, on the clock of decisions: what
-- was seen earlier changes nothing any more. `status` is Stripe's word, `status_since` when it was first seen. The period is the widest of its items.
CREATE TABLE subscriptions (
  id text NOT NULL,
  tenant text NOT NULL,
  version integer NOT NULL,
  status text NOT NULL,
  customer text,
  currency text,
  items jsonb NOT NULL,
  current_period_start timestamptz,
  current_period_end timestamptz,
  trial_end timestamptz,
  cancel_at timestamptz,
  cancel_at_period_end boolean NOT NULL,
  canceled_at timestamptz,
  cancellation_reason text,
  ended_at timestamptz,
  collection_method text,
  latest_invoice text,
  collection_paused boolean NOT NULL,
  livemode boolean NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  status_since timestamptz NOT NULL,
  seen_at timestamptz NOT NULL,
  CONSTRAINT subscriptions_pkey PRIMARY KEY (id)
);
CREATE INDEX subscriptions_tenant_created_at_index ON subscriptions (tenant, created_at DESC, id DESC);
CREATE INDEX subscriptions_customer_index ON subscriptions (customer);
CREATE INDEX subscriptions_status_index ON subscriptions (status);

-- An invoice as Stripe showed it, likewise. `status` is Stripe's, or `deleted` of a draft that is gone. Amounts in minor units; `amount` is the total. `dunning` says what
-- an invoice waits for that is not paid as planned (retrying, action_required, needs_payment, given_up), `failure` how its last attempt failed.
CREATE TABLE invoices (
  id text NOT NULL,
  tenant text NOT NULL,
  version integer NOT NULL,
  status text NOT NULL,
  number text,
  customer text,
  subscription text,
  billing_reason text,
  collection_method text,
  amount bigint NOT NULL,
  amount_due bigint NOT NULL,
  amount_paid bigint NOT NULL,
  amount_remaining bigint NOT NULL,
  currency text NOT NULL,
  attempt_count integer NOT NULL,
  next_payment_attempt timestamptz,
  due_date timestamptz,
  period_start timestamptz,
  period_end timestamptz,
  payment_intents text[] NOT NULL,
  dunning text,
  failure jsonb,
  livemode boolean NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  status_since timestamptz NOT NULL,
  seen_at timestamptz NOT NULL,
  CONSTRAINT invoices_pkey PRIMARY KEY (id)
);
CREATE INDEX invoices_tenant_created_at_index ON invoices (tenant, created_at DESC, id DESC);
CREATE INDEX invoices_subscription_index ON invoices (subscription, created_at DESC) WHERE subscription IS NOT NULL;
CREATE INDEX invoices_customer_index ON invoices (customer);
CREATE INDEX invoices_dunning_index ON invoices (dunning) WHERE dunning IS NOT NULL;
