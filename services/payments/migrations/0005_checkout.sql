-- Why: checkouts (hosted pages with a local window) and customers, and their share of the schedule that carries accepted requests on.

-- One row per checkout, derived from its events (stream `checkout:<id>`) and from nothing else: it can be dropped and filled again. `stripe_session` is the
-- page that counts, `stripe_sessions` every page that it ever had, by which Stripe's news finds it. It is open until Stripe has said otherwise.
CREATE TABLE checkouts (
  id text PRIMARY KEY,
  tenant text NOT NULL,
  version integer NOT NULL,
  status text NOT NULL CONSTRAINT checkouts_status_known CHECK (status IN ('open', 'complete', 'expired')),
  payment_status text NOT NULL,
  late_success text,
  amount bigint NOT NULL CONSTRAINT checkouts_amount_positive CHECK (amount > 0),
  currency text NOT NULL,
  customer text,
  stripe_session text,
  stripe_sessions text[] NOT NULL,
  url text,
  payment_id text,
  payment_intent text,
  failure jsonb,
  window_ends_at timestamptz NOT NULL,
  metadata jsonb NOT NULL,
  livemode boolean NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX checkouts_tenant_created_at_index ON checkouts (tenant, created_at DESC, id DESC);
CREATE INDEX checkouts_open_window_index ON checkouts (window_ends_at) WHERE status = 'open';
CREATE INDEX checkouts_stripe_sessions_index ON checkouts USING gin (stripe_sessions);

-- People, as far as a tenant told us: mutable and erasable, and for that reason not made from events. `ref` is ours and internal, the id that others see is
-- Stripe's. `call_n` is the key of the call that makes the customer, committed before it; `call_answer` says whether its answer is awaited or missing. An
-- erased row keeps the tenant of the id and nothing about the person.
CREATE TABLE customers (
  ref text PRIMARY KEY,
  command_id text NOT NULL CONSTRAINT customers_command_id_key UNIQUE,
  tenant text NOT NULL,
  version integer NOT NULL DEFAULT 1,
  status text NOT NULL CONSTRAINT customers_status_known CHECK (status IN ('creating', 'active', 'refused', 'erasing', 'erased')),
  stripe_customer text CONSTRAINT customers_stripe_customer_key UNIQUE,
  email text,
  name text,
  locale text,
  metadata jsonb NOT NULL,
  livemode boolean NOT NULL,
  call_n integer NOT NULL DEFAULT 1,
  call_since timestamptz NOT NULL,
  call_answer text NOT NULL DEFAULT 'awaited' CONSTRAINT customers_call_answer_known CHECK (call_answer IN ('awaited', 'missing', 'certain')),
  call_stored boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL,
  erased_at timestamptz,
  CONSTRAINT customers_known_at_stripe CHECK (status IN ('creating', 'refused') OR stripe_customer IS NOT NULL),
  CONSTRAINT customers_erased_is_blank CHECK (erased_at IS NULL OR (email IS NULL AND name IS NULL AND locale IS NULL AND metadata = '{}'))
);
CREATE INDEX customers_tenant_created_at_index ON customers (tenant, created_at DESC, ref DESC);

-- Checkouts and customers stand in the schedule under their own ids, so that leases, wishes and wake-ups are one mechanism; `kind` (pay, cks, cst) says
-- whose loop takes a row. An open checkout is due when its window ends.
ALTER TABLE payment_work ADD COLUMN kind text GENERATED ALWAYS AS (split_part(payment_id, '_', 1)) STORED;
