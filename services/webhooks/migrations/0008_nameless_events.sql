-- Why: a dispute or a refund is about a payment and does not name its customer. What such events say of a person has to go with the customer all the same.

-- Whom the events of an aggregate are about: the first customer that one of them names.
ALTER TABLE published_versions ADD COLUMN customer text;

-- Events that were published while nobody knew that customer. `customer`: told since then, by another event of the aggregate.
CREATE TABLE nameless_events (
  created timestamptz NOT NULL,
  stripe_event_id text NOT NULL,
  aggregate text NOT NULL,
  customer text,
  CONSTRAINT nameless_events_pkey PRIMARY KEY (created, stripe_event_id)
);
CREATE INDEX nameless_events_aggregate ON nameless_events (aggregate);
CREATE INDEX nameless_events_customer ON nameless_events (customer) WHERE customer IS NOT NULL;
