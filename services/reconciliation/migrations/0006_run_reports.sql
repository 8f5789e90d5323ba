-- What a run is compared with the run before it by, and runs that nobody asked for: of every tenant (`tenant` is '*'), made by the schedule.

CREATE FUNCTION extend_run_reports() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = reconciliation, pg_temp SET client_min_messages = warning AS $$
BEGIN
  -- `trigger`: who made it. The period as times, `period_start` <= t < `period_end`. `comparison`: what is new, persists and is gone since the run before.
  -- `of_tenants`: of a run of every tenant, counts and comparison of each that it found something of.
  ALTER TABLE runs
    ADD COLUMN IF NOT EXISTS trigger text NOT NULL DEFAULT 'operator',
    ADD COLUMN IF NOT EXISTS period_start timestamptz,
    ADD COLUMN IF NOT EXISTS period_end timestamptz,
    ADD COLUMN IF NOT EXISTS comparison jsonb,
    ADD COLUMN IF NOT EXISTS of_tenants jsonb;
  UPDATE runs SET period_start = start_date::timestamp AT TIME ZONE 'UTC', period_end = (end_date + 1)::timestamp AT TIME ZONE 'UTC' WHERE period_start IS NULL;
  CREATE INDEX IF NOT EXISTS runs_succeeded ON runs (finished_at DESC) WHERE status = 'succeeded';
  -- When the object was made, by which runs of other periods are told from those that looked at it; `state` in the run: new or persisting.
  ALTER TABLE discrepancies
    ADD COLUMN IF NOT EXISTS made_at timestamptz,
    ADD COLUMN IF NOT EXISTS state text NOT NULL DEFAULT 'new';
END
$$;

SELECT extend_run_reports();

ALTER TABLE run_suspects ADD COLUMN made_at timestamptz;
