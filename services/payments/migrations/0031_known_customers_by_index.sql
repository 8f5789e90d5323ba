-- Why: as 0030. And since when the one waits who waits longest is told without reading all. By the time alone nothing is looked for any more; where most were one tenant's, a
-- planner took that index for each other tenant, and read all of the one's each time.
CREATE INDEX CONCURRENTLY IF NOT EXISTS usage_unknown_customers_known_index ON usage_unknown_customers (since) WHERE known;
CREATE INDEX CONCURRENTLY IF NOT EXISTS usage_unknown_customers_since_index ON usage_unknown_customers (since) WHERE due_at < 'infinity';
DROP INDEX CONCURRENTLY IF EXISTS usage_unknown_customers_due_at_index;
