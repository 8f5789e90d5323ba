-- The shop's own table. It lives in the database of the shop, beside the inbox that messaging keeps there: that a message was handled and what it
-- did are written in one transaction.

-- One row per parcel to send, and one per payment: the inbox makes each event count once, but after a restore Tidegate may tell the same fact again as
-- another event.
CREATE TABLE shipments (
  id bigint GENERATED ALWAYS AS IDENTITY,
  payment_id text NOT NULL,
  tenant text NOT NULL,
  amount bigint NOT NULL,
  currency text NOT NULL,
  ordered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT shipments_pkey PRIMARY KEY (id),
  CONSTRAINT shipments_payment_id_key UNIQUE (payment_id)
);
