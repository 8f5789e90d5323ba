-- Why: usage waits for customers whom nobody knows, and is to be counted as soon as one is known. Reading all who are not, each second in each process, took longer with every
-- customer that somebody made up, until no statement was long enough for it and nobody's usage was counted any more. So who becomes known says so.

-- `known`: he is this tenant's by now, and what is parked of him is to be counted.
ALTER TABLE usage_unknown_customers ADD COLUMN known boolean NOT NULL DEFAULT false;

-- Whoever becomes known has a row here for it, also when nothing is parked: it waits for one that another transaction is about to commit, and the other way round until
-- the commit, so that no two can miss each other. With nothing parked it goes at once: most customers never had any usage, and the loop has no work with them.
-- Triggers, because processes of the version before have to say it, too, as long as there are any.
CREATE FUNCTION usage_customer_is_known() RETURNS trigger
LANGUAGE plpgsql SET search_path = payments, pg_temp AS $$
DECLARE
  whom text := to_jsonb(NEW) ->> TG_ARGV[0];
BEGIN
  INSERT INTO usage_unknown_customers (tenant, customer, since, due_at, known) VALUES (NEW.tenant, whom, clock_timestamp(), 'infinity', true)
  ON CONFLICT (tenant, customer) DO UPDATE SET known = true;
  DELETE FROM usage_unknown_customers u WHERE u.tenant = NEW.tenant AND u.customer = whom
    AND NOT EXISTS (SELECT FROM usage_events e WHERE e.tenant = NEW.tenant AND e.customer = whom AND e.counted_at IS NULL);
  RETURN NULL;
END
$$;
CREATE TRIGGER usage_customer_is_known_when_made AFTER INSERT ON customers FOR EACH ROW
  WHEN (NEW.status = 'active') EXECUTE FUNCTION usage_customer_is_known('stripe_customer');
CREATE TRIGGER usage_customer_is_known_when_active AFTER UPDATE ON customers FOR EACH ROW
  WHEN (NEW.status = 'active' AND (OLD.status, OLD.stripe_customer) IS DISTINCT FROM (NEW.status, NEW.stripe_customer)) EXECUTE FUNCTION usage_customer_is_known('stripe_customer');
CREATE TRIGGER usage_customer_is_known_when_found AFTER INSERT ON usage_customers FOR EACH ROW
  EXECUTE FUNCTION usage_customer_is_known('customer');

-- Who parks usage may have judged it long before: by now, with the row written, the customer may be known, and the row that said so gone. What a trigger reads after
-- the statement is as of now.
CREATE FUNCTION usage_customer_was_known() RETURNS trigger
LANGUAGE plpgsql SET search_path = payments, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM customers c WHERE c.stripe_customer = NEW.customer AND c.tenant = NEW.tenant AND c.status = 'active')
    OR EXISTS (SELECT FROM usage_customers f WHERE f.customer = NEW.customer AND f.tenant = NEW.tenant)
  THEN
    UPDATE usage_unknown_customers SET known = true WHERE tenant = NEW.tenant AND customer = NEW.customer;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER usage_customer_was_known AFTER INSERT ON usage_unknown_customers FOR EACH ROW
  WHEN (NOT NEW.known) EXECUTE FUNCTION usage_customer_was_known();
