-- Why: as 0026. A file of its own: who reads and writes the table meanwhile waits for no reader of it, such as a backup.
CREATE INDEX IF NOT EXISTS usage_counters_unconfirmed_index ON usage_counters (hour, customer, meter) WHERE unconfirmed;
CREATE INDEX IF NOT EXISTS usage_counters_lost_index ON usage_counters (hour, customer, meter) WHERE lost <> 0;
