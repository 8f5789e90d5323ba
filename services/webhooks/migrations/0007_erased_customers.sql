-- Why: what Stripe delivered is kept for months as it came, and it names people. When payments erases a customer, that goes from every event about the
-- customer, whether it was there before or is delivered after.

-- The customer that an event is about or names, known when it is published; not a hint for tenants, only for finding what has to be erased.
ALTER TABLE stripe_events ADD COLUMN customer text;
CREATE INDEX stripe_events_customer ON stripe_events (customer) WHERE customer IS NOT NULL;

-- Who was erased, by Stripe's id and nothing else. `due_at`: when the events of the customer are looked through next; null when nothing is left to do until
-- another one is published. `wishes` counts the occasions to look, so that one that came during a look is not lost.
CREATE TABLE erased_customers (
  customer text NOT NULL,
  erased_at timestamptz NOT NULL,
  due_at timestamptz,
  wishes integer NOT NULL DEFAULT 0,
  CONSTRAINT erased_customers_pkey PRIMARY KEY (customer)
);
CREATE INDEX erased_customers_due ON erased_customers (due_at) WHERE due_at IS NOT NULL;
