-- Why: what payments keeps beside its events. A projection for reading, the record that makes a request run once, the schedule that carries every
-- accepted payment on until its outcome is certain, and the personal data that must stay erasable.

-- One row per payment, derived from its events and from nothing else: it can be dropped and filled again. `version` is the version of the stream it shows;
-- writers change it only from the version they read, which is how concurrent decisions about one payment find each other.
CREATE TABLE payments (
  id text PRIMARY KEY,
  tenant text NOT NULL,
  version integer NOT NULL,
  status text NOT NULL,
  amount bigint NOT NULL CONSTRAINT payments_amount_positive CHECK (amount > 0),
  amount_captured bigint NOT NULL CONSTRAINT payments_amount_captured_within_amount CHECK (amount_captured BETWEEN 0 AND amount),
  amount_refunded bigint NOT NULL CONSTRAINT payments_amount_refunded_within_captured CHECK (amount_refunded BETWEEN 0 AND amount_captured),
  currency text NOT NULL,
  capture_method text NOT NULL,
  stripe_payment_intent text CONSTRAINT payments_stripe_payment_intent_key UNIQUE,
  stripe_charge text,
  customer text,
  card jsonb,
  failure jsonb,
  refunds jsonb NOT NULL,
  metadata jsonb NOT NULL,
  origin text NOT NULL,
  livemode boolean NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX payments_tenant_created_at_index ON payments (tenant, created_at DESC, id DESC);
CREATE INDEX payments_status_updated_at_index ON payments (status, updated_at) WHERE status IN ('unknown', 'queued', 'processing', 'requires_action');

-- One row per Idempotency-Key of a tenant on a route, written in the transaction that accepts the request, kept for ever so that a key stays unique;
-- the answer is kept for 90 days. `status` is null until the outcome is certain; from then on these bytes are what every repetition gets.
-- The answer finds room beside its key, so that no index is written again.
CREATE TABLE idempotency_keys (
  tenant text NOT NULL,
  route text NOT NULL,
  key text NOT NULL,
  request_hash text NOT NULL,
  command_id text NOT NULL CONSTRAINT idempotency_keys_command_id_key UNIQUE,
  payment_id text NOT NULL,
  request_id text NOT NULL,
  status smallint,
  content_type text,
  body text,
  created_at timestamptz NOT NULL,
  answered_at timestamptz,
  PRIMARY KEY (tenant, route, key)
) WITH (fillfactor = 50);

-- What a payment still has to have done for it, and who is doing it. No row: nothing. A run holds the row by (holder, lease_until), renewed each second, on
-- the database's clock; due_at is when a loop looks at it next, on the clock of decisions. `revision` grows with every new wish, so that a run that
-- finishes does not wipe out what it has not seen. A holder that is gone without releasing leaves its name behind: the next one knows that a call may be
-- out there. `refresh`: ask Stripe how the payment stands, whatever we believe.
CREATE TABLE payment_work (
  payment_id text PRIMARY KEY,
  holder text,
  lease_until timestamptz,
  due_at timestamptz,
  attempt integer NOT NULL DEFAULT 0,
  revision integer NOT NULL DEFAULT 0,
  refresh boolean NOT NULL DEFAULT false,
  asked_at timestamptz
);
CREATE INDEX payment_work_due_at_index ON payment_work (due_at) WHERE due_at IS NOT NULL;

-- What a request said beyond the facts of the payment: mutable and erasable, because it may be about a person. Needed again when a call is repeated.
CREATE TABLE request_details (
  command_id text PRIMARY KEY,
  payment_id text NOT NULL,
  details jsonb NOT NULL
);
CREATE INDEX request_details_payment_id_index ON request_details (payment_id);

-- Which receipt belongs to a payment, told by the receipts service; a projection of its events.
CREATE TABLE payment_receipts (
  payment_id text NOT NULL,
  receipt_id text NOT NULL,
  kind text NOT NULL,
  PRIMARY KEY (payment_id, receipt_id)
);
