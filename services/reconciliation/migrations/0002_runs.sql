-- Comparisons of one period. The decisions are events (RunRequested, DiscrepanciesFound, RunFinished); `runs` and `discrepancies` are derived
-- from them and can be dropped, the other tables are the working state of what is running now.

CREATE FUNCTION create_run_tables() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = reconciliation, pg_temp SET client_min_messages = warning AS $$
BEGIN
  -- One row per requested run, of one tenant.
  CREATE TABLE IF NOT EXISTS runs (
    run_id text NOT NULL,
    tenant text NOT NULL,
    status text NOT NULL,
    mode text NOT NULL,
    start_date date NOT NULL,
    end_date date NOT NULL,
    classes text[],
    reason text NOT NULL,
    actor text NOT NULL,
    request_hash text NOT NULL,
    pages integer NOT NULL,
    objects integer NOT NULL,
    counts jsonb NOT NULL,
    failure text,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    CONSTRAINT runs_pkey PRIMARY KEY (run_id),
    CONSTRAINT runs_status_known CHECK (status IN ('running', 'succeeded', 'failed')),
    CONSTRAINT runs_mode_known CHECK (mode IN ('report', 'repair'))
  );
  CREATE INDEX IF NOT EXISTS runs_of_tenant ON runs (tenant, created_at DESC, run_id DESC);
  CREATE INDEX IF NOT EXISTS runs_running ON runs (created_at) WHERE status = 'running';

  -- What a run found, in the order found. `first_seen` is when an earlier run of the tenant found the same, if the runs in between did too.
  CREATE TABLE IF NOT EXISTS discrepancies (
    run_id text NOT NULL,
    number integer NOT NULL,
    tenant text NOT NULL,
    class text NOT NULL,
    object text NOT NULL,
    payment_id text,
    stripe_id text,
    local text,
    remote text,
    first_seen timestamptz NOT NULL,
    found_at timestamptz NOT NULL,
    proposed_repair text,
    applied boolean NOT NULL,
    reason text,
    CONSTRAINT discrepancies_pkey PRIMARY KEY (run_id, number)
  );
  CREATE INDEX IF NOT EXISTS discrepancies_same ON discrepancies (tenant, class, object, stripe_id, payment_id);
END
$$;

SELECT create_run_tables();

-- Progress of a run that is being executed; `attempts` counts starts, so that one that kills the process ends as failed.
CREATE TABLE run_progress (
  run_id text NOT NULL,
  attempts integer NOT NULL,
  pages integer NOT NULL,
  objects integer NOT NULL,
  CONSTRAINT run_progress_pkey PRIMARY KEY (run_id)
);

-- Which of Stripe's objects a running run has seen: what is recorded and not among them is missing at Stripe. Emptied when the run ends.
CREATE TABLE run_seen (
  run_id text NOT NULL,
  object_id text NOT NULL,
  CONSTRAINT run_seen_pkey PRIMARY KEY (run_id, object_id)
);

-- When the look-up of a stale payment was last asked for; payments itself decides what it does. Only spaces out the requests.
CREATE TABLE repair_requests (
  payment_id text NOT NULL,
  asked integer NOT NULL,
  next_at timestamptz NOT NULL,
  last_answer text,
  CONSTRAINT repair_requests_pkey PRIMARY KEY (payment_id)
);

-- When the service was installed: what freshness is measured from until the first run succeeds.
CREATE TABLE installation (
  one boolean NOT NULL DEFAULT true,
  installed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT installation_pkey PRIMARY KEY (one),
  CONSTRAINT installation_one_row CHECK (one)
);
INSERT INTO installation DEFAULT VALUES;
