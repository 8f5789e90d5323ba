-- Why: what REST lists, what the rendering loop looks for, the documents and copies of others' data. All of it can be dropped and comes back: rows
-- from the events, bytes by rendering again, copies by asking again. A function makes the tables, because a rebuild starts by making what was
-- dropped and the service's role may create nothing in its schema.

CREATE FUNCTION create_derived_tables() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = receipts, pg_temp SET client_min_messages = warning AS $$
BEGIN
  -- One row per receipt. `status`: issued (has its number), rendered (the PDF exists), failed (the last attempt failed by `error`; it is tried
  -- again). sha256, template, engine and fonts are what the current document was made of.
  CREATE TABLE IF NOT EXISTS receipts (
    receipt_id text PRIMARY KEY,
    tenant text NOT NULL,
    payment_id text NOT NULL,
    kind text NOT NULL CONSTRAINT receipts_kind_known CHECK (kind IN ('receipt', 'credit_note')),
    series text NOT NULL,
    year integer NOT NULL,
    sequence integer NOT NULL,
    number text NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    issued_at timestamptz NOT NULL,
    status text NOT NULL CONSTRAINT receipts_status_known CHECK (status IN ('issued', 'rendered', 'failed')),
    error text,
    sha256 text,
    template text,
    engine text,
    fonts text,
    CONSTRAINT receipts_one_per_payment_and_kind UNIQUE (payment_id, kind),
    CONSTRAINT receipts_number_given_once UNIQUE (tenant, series, year, sequence)
  );
  CREATE INDEX IF NOT EXISTS receipts_of_tenant ON receipts (tenant, issued_at DESC, receipt_id DESC);
  CREATE INDEX IF NOT EXISTS receipts_not_rendered ON receipts (issued_at) WHERE status <> 'rendered';

  -- The bytes. A missing or damaged row is rendered again when it is read; equal input, template, fonts and engine give equal bytes. They do not
  -- compress any further.
  CREATE TABLE IF NOT EXISTS documents (
    receipt_id text PRIMARY KEY,
    sha256 text NOT NULL,
    pdf bytea NOT NULL,
    stored_at timestamptz NOT NULL
  );
  ALTER TABLE documents ALTER COLUMN pdf SET STORAGE EXTERNAL;

  -- Who renders what now, and when a failed one is next. A lease, not a record: lost, the work is simply taken up again. `due_at` is on the
  -- service's clock, `leased_until` on the database's. `attempts` counts starts, so a document that kills its process also waits longer each time.
  CREATE TABLE IF NOT EXISTS renderings (
    receipt_id text PRIMARY KEY,
    attempts integer NOT NULL,
    due_at timestamptz NOT NULL,
    leased_until timestamptz NOT NULL
  );

  -- Copies of the gateway's tenants, so that numbering goes on while the gateway is away. What fixed a receipt stands in its event.
  CREATE TABLE IF NOT EXISTS tenants (
    id text PRIMARY KEY,
    data jsonb NOT NULL,
    fetched_at timestamptz NOT NULL
  );
END
$$;

SELECT create_derived_tables();
