-- Why: an issuer reads the clock and then waits for the counter, so that around midnight a higher number could bear an earlier date.

-- When the last number was given; null where a version before gave it. The next one is dated no earlier.
ALTER TABLE counters ADD COLUMN last_at timestamptz;
