-- The shop's own table. It lives in the database of the shop, beside the inbox that messaging keeps there: that a message was handled and what it
-- did are written in one transaction.

-- One row per parcel to send. Nothing here forbids a second row for one payment: it is the inbox that makes each event count once.
CREATE TABLE shipments (
  id bigint GENERATED ALWAYS AS IDENTITY,
  payment_id text NOT NULL,
  tenant text NOT NULL,
  amount bigint NOT NULL,
  currency text NOT NULL,
  ordered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT shipments_pkey PRIMARY KEY (id)
);
