-- Why: as 0026.
CREATE INDEX CONCURRENTLY IF NOT EXISTS usage_counters_unconfirmed_index ON usage_counters (hour, customer, meter) WHERE unconfirmed;
CREATE INDEX CONCURRENTLY IF NOT EXISTS usage_counters_lost_index ON usage_counters (hour, customer, meter) WHERE lost <> 0;
