-- Why: of a meter that takes the latest, events of one second are reported in the order in which they were counted, which is not the order in which concurrent
-- statements, or processes with other clocks, get to the counter. So the counter goes by the same order.

-- `last_value` is that of the latest event by (second of `at`, `last_counted_at`, `last_id`); null in counters from before: then whatever comes in the same second
-- is later.
ALTER TABLE usage_counters ADD COLUMN last_counted_at timestamptz, ADD COLUMN last_id text;
