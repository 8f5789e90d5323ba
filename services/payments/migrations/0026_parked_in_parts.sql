-- Why: usage of a customer who has become known is counted some thousand events at a time, the oldest first; no part reads what the others will. The index before said
-- only of whom events are parked.
CREATE INDEX usage_events_parked_at_index ON usage_events (tenant, customer, at, received_at, id) WHERE counted_at IS NULL;
DROP INDEX usage_events_parked_index;
