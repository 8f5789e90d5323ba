-- Why: gauges and lists that are asked for again and again, and the loops that look for what is due, read only the rows that they tell of, however much there is beside them.

-- Each loop takes work of one kind in the order of its time: a backlog of another kind is not read. Everything that went by the time alone names its kinds now.
CREATE INDEX payment_work_kind_due_at_since_index ON payment_work (kind, due_at, since) WHERE due_at IS NOT NULL;
DROP INDEX payment_work_due_at_since_index;

-- Usage that no comparison has confirmed since it was last counted. A column of its own, because what an index says of `updated_at` is written anew with every event that is
-- counted; this changes only with a comparison and the first event after it. The table is rewritten once.
ALTER TABLE usage_counters ADD COLUMN unconfirmed boolean GENERATED ALWAYS AS (last_reconciled_at IS NULL OR last_reconciled_at < updated_at) STORED;
CREATE INDEX usage_counters_unconfirmed_index ON usage_counters (hour, customer, meter) WHERE unconfirmed;
CREATE INDEX usage_counters_lost_index ON usage_counters (hour, customer, meter) WHERE lost <> 0;
