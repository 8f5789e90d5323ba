-- The double-entry ledger. Its entries follow from what payments published and from our own FeeRecorded events, so it can be dropped and comes out equal
-- (src/ledger/posting.decide.ts); between two replays it only ever grows.

-- The zero-sum rule. A transaction is written by one statement, so the rule is asked when that statement ends: once for all its rows, which a deferred
-- trigger would do once per row. Whoever adds a single cent, also by hand, is refused on the spot.
CREATE FUNCTION refuse_unbalanced_ledger_entries() RETURNS trigger
LANGUAGE plpgsql SET search_path = reconciliation, pg_temp AS $$
DECLARE
  off record;
BEGIN
  SELECT e.transaction_id, e.currency, sum(e.amount) AS amount INTO off
  FROM ledger_entries e WHERE e.transaction_id IN (SELECT transaction_id FROM added)
  GROUP BY e.transaction_id, e.currency HAVING sum(e.amount) <> 0 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'ledger transaction % is not balanced: its entries sum to % %', off.transaction_id, off.amount, off.currency
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entries_zero_sum', TABLE = 'ledger_entries';
  END IF;
  RETURN NULL;
END
$$;

-- Append-only, for the owner of the tables too. Rows may go in one case: an audited replay of the projection, whose swap holds everybody else off the table
-- while it is in this state, replaces rows that do not follow from the events.
CREATE FUNCTION refuse_change_of_ledger_entries() RETURNS trigger
LANGUAGE plpgsql SET search_path = reconciliation, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' AND EXISTS (SELECT FROM event_replays WHERE projection = 'reconciliation-payments' AND state = 'swapping') THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'ledger entries are append-only: correct them by a further transaction' USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE FUNCTION create_ledger_tables() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = reconciliation, pg_temp SET client_min_messages = warning AS $$
BEGIN
  -- One line of one transaction. `amount` in minor units of `currency`: positive is a debit, negative a credit. `transaction_id` names the event that it
  -- follows from: a message of payments, or a balance transaction of Stripe's. `reference` is what it is about, the same on both sides of clearing: the
  -- PaymentIntent, refund, dispute or payout. `event` is the fact; `occurred_at` its time.
  CREATE TABLE IF NOT EXISTS ledger_entries (
    transaction_id text COLLATE "C" NOT NULL,
    line integer NOT NULL,
    tenant text NOT NULL,
    account text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    amount bigint NOT NULL,
    reference text COLLATE "C" NOT NULL,
    payment_id text,
    event text NOT NULL,
    occurred_at timestamptz NOT NULL,
    CONSTRAINT ledger_entries_pkey PRIMARY KEY (transaction_id, line),
    CONSTRAINT ledger_entries_amount_moves CHECK (amount <> 0),
    CONSTRAINT ledger_entries_account_known CHECK (account IN (
      'stripe_balance', 'stripe_clearing', 'payouts', 'sales', 'refunds', 'dispute_losses', 'stripe_fees', 'conversion', 'other_movements'))
  );
  -- Up to which event a payment was posted: a higher epoch is a later history of payments, a higher version a later event of it. Payments that never
  -- moved money have no row.
  CREATE TABLE IF NOT EXISTS ledger_payments (
    payment_id text NOT NULL,
    epoch integer NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT ledger_payments_pkey PRIMARY KEY (payment_id)
  );
  -- What a payment has been posted with so far, to post the difference.
  CREATE INDEX IF NOT EXISTS ledger_entries_of_payment ON ledger_entries (payment_id) WHERE event <> 'fee.recorded';
  -- Both sides of clearing.
  CREATE INDEX IF NOT EXISTS ledger_entries_clearing ON ledger_entries (reference, currency) INCLUDE (amount, event) WHERE account = 'stripe_clearing';
  -- Balances, now or at a time.
  CREATE INDEX IF NOT EXISTS ledger_entries_balances ON ledger_entries (tenant, account, currency, occurred_at) INCLUDE (amount);
  -- Sales of the last weeks that wait for their fee.
  CREATE INDEX IF NOT EXISTS ledger_entries_sales ON ledger_entries (occurred_at) INCLUDE (reference, amount) WHERE account = 'sales';
  -- What a run checks.
  CREATE INDEX IF NOT EXISTS ledger_entries_occurred_at ON ledger_entries (occurred_at, transaction_id);
  CREATE OR REPLACE TRIGGER ledger_entries_zero_sum AFTER INSERT ON ledger_entries
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refuse_unbalanced_ledger_entries();
  CREATE OR REPLACE TRIGGER ledger_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_ledger_entries();
  REVOKE UPDATE, TRUNCATE ON ledger_entries FROM :"role";
END
$$;

SELECT create_ledger_tables();

-- How far Stripe's balance transactions have been read: all that were made before `read_to`; null before the first pass ended. A pass reads those up to
-- `pass_to`, newest first, and has come to `pass_after`. What the last pass left open is told by the metrics: sales without a balance transaction.
CREATE TABLE balance_sweep (
  one boolean NOT NULL DEFAULT true,
  read_to timestamptz,
  pass_to timestamptz,
  pass_after text,
  fees_pending integer NOT NULL DEFAULT 0,
  fees_pending_since timestamptz,
  CONSTRAINT balance_sweep_pkey PRIMARY KEY (one),
  CONSTRAINT balance_sweep_one_row CHECK (one)
);
INSERT INTO balance_sweep DEFAULT VALUES;
