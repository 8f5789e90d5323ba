-- Why: usage is taken in by the thousand, must be on disk before it is answered, and is billed by Stripe's meters, which take it one call at a time, forget after a
-- day what they have taken, and may be away for days (docs/adr/0024).

-- Every event that was accepted, for good: what was used. `(tenant, id)` is the caller's own idempotency. `counted_at` null: the customer is not known yet, so the
-- event is in no counter; that is the only column that ever changes, once. `hour` is the UTC hour of `at`.
CREATE TABLE usage_events (
  tenant text NOT NULL,
  id text NOT NULL,
  customer text NOT NULL,
  meter text NOT NULL,
  value numeric NOT NULL,
  at timestamptz NOT NULL,
  hour timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  counted_at timestamptz,
  CONSTRAINT usage_events_pkey PRIMARY KEY (tenant, id)
);
CREATE INDEX usage_events_customer_meter_hour_index ON usage_events (customer, meter, hour);
CREATE INDEX usage_events_parked_index ON usage_events (tenant, customer) WHERE counted_at IS NULL;

-- What events add up to, one row per customer, meter and hour, written in the transaction of the events. `value` is their sum, `last_value` the value of the latest
-- (`last_at`). `sent` is how much of the sum Stripe is known to have, `lost` what got too old to be billed, `settled_events` the events in both, `revision` the last
-- report: these follow from `usage_reports`, and all of them can be filled again from the two tables. The rest is the schedule of reporting: due, when something is
-- not reported; held by (holder, lease_until) on the database's clock. `waits_for` says why the last try left it. `last_reconciled_at`: when Stripe's summary of the
-- hour last agreed.
CREATE TABLE usage_counters (
  customer text NOT NULL,
  meter text NOT NULL,
  hour timestamptz NOT NULL,
  tenant text NOT NULL,
  value numeric NOT NULL,
  events integer NOT NULL,
  last_value numeric NOT NULL,
  last_at timestamptz NOT NULL,
  sent numeric NOT NULL DEFAULT 0,
  lost numeric NOT NULL DEFAULT 0,
  settled_events integer NOT NULL DEFAULT 0,
  revision integer NOT NULL DEFAULT 0,
  unreported_since timestamptz,
  due_at timestamptz,
  attempt integer NOT NULL DEFAULT 0,
  waits_for text,
  holder text,
  lease_until timestamptz,
  updated_at timestamptz NOT NULL,
  last_reconciled_at timestamptz,
  CONSTRAINT usage_counters_pkey PRIMARY KEY (customer, meter, hour)
) WITH (fillfactor = 70);
CREATE INDEX usage_counters_due_at_index ON usage_counters (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX usage_counters_tenant_customer_index ON usage_counters (tenant, customer, hour);
CREATE INDEX usage_counters_hour_index ON usage_counters (hour);

-- Every report to a meter, committed before its first call, so that a call is repeated word for word under the same identifier. One at a time per counter is not
-- certain: then Stripe's summary of the hour says whether it counts. open: to be sent, or sent without an answer; settling: its identifier protects no longer, the
-- summary decides; delivered; absent: certainly not counted, its usage goes into the next one; expired: too old for Stripe; observed: an operator had the counter
-- set to what Stripe says. `event_id`: of a meter that counts events, or takes the latest, which gets them one by one. `uncertain_since`: the first call that may
-- have had its effect. Times on the clock of decisions.
CREATE TABLE usage_reports (
  customer text NOT NULL,
  meter text NOT NULL,
  hour timestamptz NOT NULL,
  revision integer NOT NULL,
  identifier text NOT NULL,
  event_id text,
  value numeric NOT NULL,
  events integer NOT NULL,
  at timestamptz NOT NULL,
  state text NOT NULL CONSTRAINT usage_reports_state_known CHECK (state IN ('open', 'settling', 'delivered', 'absent', 'expired', 'observed')),
  submitted_at timestamptz NOT NULL,
  uncertain_since timestamptz,
  last_call_at timestamptz,
  calls integer NOT NULL DEFAULT 0,
  ended_at timestamptz,
  CONSTRAINT usage_reports_pkey PRIMARY KEY (customer, meter, hour, revision),
  CONSTRAINT usage_reports_identifier_key UNIQUE (identifier)
);
CREATE UNIQUE INDEX usage_reports_one_open ON usage_reports (customer, meter, hour) WHERE state IN ('open', 'settling');
CREATE INDEX usage_reports_event_index ON usage_reports (customer, meter, hour, event_id) WHERE event_id IS NOT NULL;

-- Stripe's meters as it last told of them, a copy.
CREATE TABLE usage_meters (
  event_name text NOT NULL,
  stripe_meter text NOT NULL,
  formula text,
  active boolean NOT NULL,
  customer_key text NOT NULL,
  value_key text NOT NULL,
  read_at timestamptz NOT NULL,
  CONSTRAINT usage_meters_pkey PRIMARY KEY (event_name)
);

-- Customers of whom usage is parked: when Stripe is next asked whose they are. The row goes when the usage is counted.
CREATE TABLE usage_unknown_customers (
  tenant text NOT NULL,
  customer text NOT NULL,
  since timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  attempt integer NOT NULL DEFAULT 0,
  CONSTRAINT usage_unknown_customers_pkey PRIMARY KEY (tenant, customer)
);
CREATE INDEX usage_unknown_customers_due_at_index ON usage_unknown_customers (due_at);

-- Customers that were not made here and are a tenant's all the same: Stripe's metadata said so.
CREATE TABLE usage_customers (
  customer text NOT NULL,
  tenant text NOT NULL,
  found_at timestamptz NOT NULL,
  CONSTRAINT usage_customers_pkey PRIMARY KEY (customer)
);

-- How much a tenant lets its customers use per calendar period (UTC). `customer` '' is every customer without a limit of its own.
CREATE TABLE usage_limits (
  tenant text NOT NULL,
  meter text NOT NULL,
  customer text NOT NULL,
  period text NOT NULL CONSTRAINT usage_limits_period_known CHECK (period IN ('hour', 'day', 'month')),
  amount numeric NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT usage_limits_pkey PRIMARY KEY (tenant, meter, customer, period)
);
