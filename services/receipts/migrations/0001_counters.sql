-- Why: a receipt number must be unique and gap-free per tenant, series and year, so it comes from a row that is locked until the transaction that
-- issues the receipt commits: a rollback gives the number back, which a sequence would not.

-- The last number given. Not a projection: it survives a rebuild, and `receipts` must never hold a higher one.
CREATE TABLE counters (
  tenant text NOT NULL,
  series text NOT NULL,
  year integer NOT NULL,
  last integer NOT NULL CONSTRAINT counters_last_positive CHECK (last > 0),
  PRIMARY KEY (tenant, series, year)
);

REVOKE DELETE ON counters FROM :"role";

-- Personal data of payers, asked of payments once per payment and erasable: nothing else in this schema repeats it, except the PDF itself.
CREATE TABLE payers (
  payment_id text PRIMARY KEY,
  tenant text NOT NULL,
  details jsonb NOT NULL,
  fetched_at timestamptz NOT NULL
);
