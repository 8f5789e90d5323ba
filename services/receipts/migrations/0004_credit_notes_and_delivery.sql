-- Why: refunds have credit notes of their own series, which may be voided; documents may lie in another store than this database, are mailed, and can be verified by
-- anybody who has one. What is new in `receipts` follows from the receipts' own events like everything else in it.

-- `refund_id` and `refers_to` (the receipt) are of credit notes. `voided_at`: when a note ceased to count. `wanted_at`: since when a document is missing, if not since
-- it was issued. `input`: SHA-256 of the words and figures in the document. `verification`: the token in the QR code. `mail`: none, due, sending, sent, refused or
-- unknown (it may have gone out), with when and why.
ALTER TABLE receipts
  ADD COLUMN refund_id text,
  ADD COLUMN refers_to text,
  ADD COLUMN voided_at timestamptz,
  ADD COLUMN wanted_at timestamptz,
  ADD COLUMN input text,
  ADD COLUMN verification text,
  ADD COLUMN mail text NOT NULL DEFAULT 'none' CONSTRAINT receipts_mail_known
    CHECK (mail IN ('none', 'due', 'sending', 'sent', 'refused', 'unknown')),
  ADD COLUMN mails integer NOT NULL DEFAULT 0,
  ADD COLUMN mailed_at timestamptz,
  ADD COLUMN mail_error text,
  DROP CONSTRAINT receipts_one_per_payment_and_kind;
CREATE UNIQUE INDEX receipts_one_per_payment ON receipts (payment_id) WHERE kind = 'receipt';
CREATE UNIQUE INDEX receipts_one_note_per_refund ON receipts (payment_id, refund_id) WHERE kind = 'credit_note';
CREATE UNIQUE INDEX receipts_verification ON receipts (verification);
CREATE INDEX receipts_to_mail ON receipts (issued_at) WHERE mail IN ('due', 'sending');

-- How a payment stands as far as documents show it, as its last event told; `version` is the payment's, so that an older event changes nothing.
CREATE TABLE standings (
  payment_id text PRIMARY KEY,
  version integer NOT NULL,
  refunded bigint NOT NULL,
  dispute text CONSTRAINT standings_dispute_known CHECK (dispute IN ('open', 'won', 'lost'))
);

-- Who mails what now, and when a refused one is next. A lease like `renderings`, not a record.
CREATE TABLE mailings (
  receipt_id text PRIMARY KEY,
  attempts integer NOT NULL,
  due_at timestamptz NOT NULL,
  leased_until timestamptz NOT NULL
);

-- Logos as they were when a receipt was issued with them, by their SHA-256: PNG, at most 64 KiB. A record, because a tenant's logo of last year cannot be asked for.
CREATE TABLE logos (
  sha256 text PRIMARY KEY,
  png bytea NOT NULL CONSTRAINT logos_png_size CHECK (octet_length(png) <= 65536),
  stored_at timestamptz NOT NULL
);
REVOKE UPDATE, DELETE ON logos FROM :"role";

-- Keys that sign links to documents. The newest signs, all of them verify; made here, so that every replica has the same and nobody has to choose one.
CREATE TABLE link_keys (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  secret text NOT NULL,
  made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
REVOKE INSERT, UPDATE, DELETE ON link_keys FROM :"role";
INSERT INTO link_keys (secret) VALUES (gen_random_uuid()::text || gen_random_uuid()::text);

CREATE OR REPLACE FUNCTION create_derived_tables() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = receipts, pg_temp SET client_min_messages = warning AS $$
BEGIN
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
    refund_id text,
    refers_to text,
    voided_at timestamptz,
    wanted_at timestamptz,
    input text,
    verification text,
    mail text NOT NULL DEFAULT 'none' CONSTRAINT receipts_mail_known CHECK (mail IN ('none', 'due', 'sending', 'sent', 'refused', 'unknown')),
    mails integer NOT NULL DEFAULT 0,
    mailed_at timestamptz,
    mail_error text,
    CONSTRAINT receipts_number_given_once UNIQUE (tenant, series, year, sequence)
  );
  CREATE INDEX IF NOT EXISTS receipts_of_tenant ON receipts (tenant, issued_at DESC, receipt_id DESC);
  CREATE INDEX IF NOT EXISTS receipts_not_rendered ON receipts (issued_at) WHERE status <> 'rendered';
  CREATE UNIQUE INDEX IF NOT EXISTS receipts_one_per_payment ON receipts (payment_id) WHERE kind = 'receipt';
  CREATE UNIQUE INDEX IF NOT EXISTS receipts_one_note_per_refund ON receipts (payment_id, refund_id) WHERE kind = 'credit_note';
  CREATE UNIQUE INDEX IF NOT EXISTS receipts_verification ON receipts (verification);
  CREATE INDEX IF NOT EXISTS receipts_to_mail ON receipts (issued_at) WHERE mail IN ('due', 'sending');

  CREATE TABLE IF NOT EXISTS documents (
    receipt_id text PRIMARY KEY,
    sha256 text NOT NULL,
    pdf bytea NOT NULL,
    stored_at timestamptz NOT NULL
  );
  ALTER TABLE documents ALTER COLUMN pdf SET STORAGE EXTERNAL;

  CREATE TABLE IF NOT EXISTS renderings (
    receipt_id text PRIMARY KEY,
    attempts integer NOT NULL,
    due_at timestamptz NOT NULL,
    leased_until timestamptz NOT NULL
  );

  CREATE TABLE IF NOT EXISTS mailings (
    receipt_id text PRIMARY KEY,
    attempts integer NOT NULL,
    due_at timestamptz NOT NULL,
    leased_until timestamptz NOT NULL
  );

  CREATE TABLE IF NOT EXISTS standings (
    payment_id text PRIMARY KEY,
    version integer NOT NULL,
    refunded bigint NOT NULL,
    dispute text CONSTRAINT standings_dispute_known CHECK (dispute IN ('open', 'won', 'lost'))
  );

  CREATE TABLE IF NOT EXISTS tenants (
    id text PRIMARY KEY,
    data jsonb NOT NULL,
    fetched_at timestamptz NOT NULL
  );
END
$$;
