-- Why: gauges and lists that are asked for again and again, and the loops that look for what is due, read only the rows that they tell of, however much there is beside them.

-- Usage that no comparison may have confirmed since it was last counted. A column of its own, because what an index says of `updated_at` would be written anew with every
-- event that is counted; this changes only with a comparison and the first event after it. What was confirmed before there was the column says true as well until it is
-- compared again, so that the table is not rewritten: who asks looks at the times, too.
ALTER TABLE usage_counters ADD COLUMN IF NOT EXISTS unconfirmed boolean NOT NULL DEFAULT true;
