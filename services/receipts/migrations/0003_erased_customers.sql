-- Why: when a customer is erased, the copy of the payer's details goes, too, whichever comes first, the news of it or the details that were asked for.

-- Who was erased, by Stripe's id and nothing else: kept for ever, like the id itself in events, so that details that come later are not kept.
CREATE TABLE erased_customers (
  customer text PRIMARY KEY,
  erased_at timestamptz NOT NULL
);
REVOKE DELETE ON erased_customers FROM :"role";

-- Whose details these are; the rows of one customer are found by it.
CREATE INDEX payers_customer_index ON payers ((details ->> 'customer')) WHERE details ->> 'customer' IS NOT NULL;
