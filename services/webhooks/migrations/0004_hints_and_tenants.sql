-- Which events have their object retrieved before they are published is decided once, when they are stored; and whose an event is may follow from the customer
-- of its object.

-- `is_hint`: the object is retrieved first, because the payload does not show it (thin), may show it in another API version (swept, or an endpoint of another
-- version), or because objects of its kind come and go in states that no order of arrival can tell (subscription, invoice, customer).
-- `waits_for`: the customer whose tenant has to be known first; such a row is `parked`.
-- `tenant_hint` is what the object's metadata names; from the moment it is published, the tenant that the event was published for.
ALTER TABLE stripe_events ADD COLUMN is_hint boolean NOT NULL DEFAULT false;
ALTER TABLE stripe_events ADD COLUMN waits_for text;
-- One queue for each loop.
ALTER TABLE stripe_events ADD COLUMN queue text GENERATED ALWAYS AS (
  CASE WHEN waits_for IS NOT NULL THEN 'parked' WHEN is_hint THEN 'hint' ELSE 'delivered' END
) STORED;
UPDATE stripe_events SET is_hint = true WHERE published_at IS NULL AND source <> 'webhook' AND object_id IS NOT NULL;

-- The queues in order of arrival; small, because a published row leaves them.
DROP INDEX stripe_events_unpublished;
CREATE INDEX stripe_events_unpublished ON stripe_events (queue, received_at, created, stripe_event_id) WHERE published_at IS NULL;
CREATE INDEX stripe_events_waits_for ON stripe_events (waits_for) WHERE waits_for IS NOT NULL;


-- Whose a customer is, as far as Stripe told: from its metadata, in an event or when asked. `tenant` null: it names none. The first tenant stays.
CREATE TABLE customer_tenants (
  stripe_customer text NOT NULL,
  tenant text,
  learned_at timestamptz NOT NULL,
  CONSTRAINT customer_tenants_pkey PRIMARY KEY (stripe_customer)
);

-- The tenant that metadata or a customer gave to the first event of an aggregate that had one; later events of it keep it, whatever somebody edits at Stripe.
ALTER TABLE published_versions ADD COLUMN tenant text;
