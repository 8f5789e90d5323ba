-- Why: Stripe lists events of all types, and an endpoint has those delivered that it is registered for. What a sweep finds of other types was never to be delivered, so whoever
-- ordered it must not be told that it was lost.

-- Of what was found: events of types that Tidegate asks to have delivered.
ALTER TABLE sweep_orders ADD COLUMN missed bigint NOT NULL DEFAULT 0;
-- What earlier ones found was all told of as missed.
UPDATE sweep_orders SET missed = found WHERE found > 0;
