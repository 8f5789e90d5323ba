-- Why: what REST lists and the rendering loop looks for. Every row derives from events alone; drop the table, run this file again and rebuild.

-- One row per receipt. `status`: issued (has its number), rendered (the PDF exists), failed (the last attempt failed by `error`; it is tried again).
-- sha256, template, engine and fonts are what the current document was made of.
CREATE TABLE receipts (
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

CREATE INDEX receipts_of_tenant ON receipts (tenant, issued_at DESC, receipt_id DESC);
CREATE INDEX receipts_not_rendered ON receipts (issued_at) WHERE status <> 'rendered';
