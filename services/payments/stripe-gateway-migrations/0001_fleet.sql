-- Why: whether Stripe may be called, and how often, is one question for the whole fleet. A breaker in each process would let every process find out by itself
-- that Stripe is down, and every process send a probe; a limit in each process would have to be divided by a number of processes that nobody knows. Payments
-- owns and migrates this schema; payments, webhooks and reconciliation read and write it through libs/stripe-gateway. All times are the database's.

-- One row per breaker; `version` counts its transitions. `retry_at`: when open, the time of the first probe; when half open, the end of the probe's lease.
-- `probe` names the lease: only its holder may say how the probe ended. `refused_keys` are fingerprints of Stripe keys that got a 401: no process that has one
-- of them makes a call, whatever the state; `latched_by` is the service that found out, also while the breaker is isolated. The rules are written by payments when it starts, so that all processes follow the same ones.
CREATE TABLE breaker_states (
  name text PRIMARY KEY,
  state text NOT NULL DEFAULT 'closed',
  version bigint NOT NULL DEFAULT 0,
  since timestamptz NOT NULL DEFAULT clock_timestamp(),
  retry_at timestamptz,
  probe text,
  last_failure_at timestamptz,
  refused_keys text[] NOT NULL DEFAULT '{}',
  latched_by text,
  threshold int NOT NULL DEFAULT 5,
  ratio double precision NOT NULL DEFAULT 0.5,
  window_ms bigint NOT NULL DEFAULT 60000,
  recovery_ms bigint NOT NULL DEFAULT 30000,
  CONSTRAINT breaker_states_state_is_known CHECK (state IN ('closed', 'open', 'half_open', 'isolated', 'auth')),
  CONSTRAINT breaker_states_retry_only_when_it_comes CHECK ((retry_at IS NOT NULL) = (state IN ('open', 'half_open'))),
  CONSTRAINT breaker_states_latched_only_by_a_key CHECK (CASE state WHEN 'auth' THEN latched_by IS NOT NULL WHEN 'isolated' THEN true ELSE latched_by IS NULL END),
  CONSTRAINT breaker_states_probe_only_when_half_open CHECK ((probe IS NOT NULL) = (state = 'half_open'))
);
INSERT INTO breaker_states (name) VALUES ('stripe'), ('stripe_reads'), ('stripe_usage');

-- Calls that ended, and how many of them failed, by the slot of time in which they did (3 s at the default window). `version` is that of the breaker when the
-- call began: what was under way when it opened or closed says nothing about the time after.
CREATE TABLE buckets (
  breaker text NOT NULL,
  version bigint NOT NULL,
  started_at timestamptz NOT NULL,
  calls bigint NOT NULL,
  failures bigint NOT NULL,
  last_failure_at timestamptz,
  PRIMARY KEY (breaker, version, started_at)
);

-- Every change of a state, written by the statement that makes it. Payments publishes each once (`published_at`).
CREATE TABLE transitions (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  breaker text NOT NULL,
  version bigint NOT NULL,
  from_state text NOT NULL,
  to_state text NOT NULL,
  cause text NOT NULL,
  at timestamptz NOT NULL,
  process text NOT NULL,
  correlation_id text,
  calls bigint,
  failures bigint,
  retry_at timestamptz,
  actor text,
  reason text,
  published_at timestamptz,
  CONSTRAINT transitions_one_per_version UNIQUE (breaker, version)
);
CREATE INDEX transitions_unpublished_index ON transitions (id) WHERE published_at IS NULL;

-- Operations that are not called for now: after a 403, with the key that got it, until the key changes or a reset (`until` is null); after a 429 that names the
-- endpoint, with any key (`*`), for a moment.
CREATE TABLE operation_holds (
  operation text NOT NULL,
  breaker text NOT NULL,
  key_fingerprint text NOT NULL,
  until timestamptz,
  reason text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (operation, key_fingerprint)
);

-- The bucket of tokens, one per request to Stripe: `per_second` flow in, up to `capacity`. Processes lease what they are about to use. While writes and reads
-- both wait, reads get the share that `read_credit` collects. `factor` is what a 429 left of the rate at `limited_at`; it grows back with time.
CREATE TABLE limiter (
  name text PRIMARY KEY,
  per_second double precision NOT NULL DEFAULT 20,
  capacity double precision NOT NULL DEFAULT 2,
  tokens double precision NOT NULL DEFAULT 0,
  filled_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  read_credit double precision NOT NULL DEFAULT 0,
  writes_wait_until timestamptz NOT NULL DEFAULT '-infinity',
  reads_wait_until timestamptz NOT NULL DEFAULT '-infinity',
  factor double precision NOT NULL DEFAULT 1,
  limited_at timestamptz,
  limited_reason text
);
INSERT INTO limiter (name) VALUES ('stripe');

-- What operators look at: the state with what counts now. `failures` and `calls` are those of the window, since the last transition.
CREATE VIEW breakers AS
SELECT s.name, s.state,
  (SELECT coalesce(sum(b.failures), 0)::bigint FROM buckets b
   WHERE b.breaker = s.name AND b.version = s.version AND b.started_at > clock_timestamp() - s.window_ms * interval '1 millisecond') AS failures,
  (SELECT coalesce(sum(b.calls), 0)::bigint FROM buckets b
   WHERE b.breaker = s.name AND b.version = s.version AND b.started_at > clock_timestamp() - s.window_ms * interval '1 millisecond') AS calls,
  greatest(s.last_failure_at, (SELECT max(b.last_failure_at) FROM buckets b WHERE b.breaker = s.name)) AS last_failure_at,
  s.retry_at, s.threshold, s.ratio, s.window_ms / 1000.0::double precision AS window_seconds, s.recovery_ms / 1000.0::double precision AS recovery_seconds,
  s.since, s.version
FROM breaker_states s;

GRANT SELECT, UPDATE ON breaker_states, limiter TO :"roles";
GRANT SELECT, INSERT, UPDATE, DELETE ON buckets, operation_holds TO :"roles";
GRANT SELECT, INSERT ON transitions TO :"roles";
GRANT UPDATE, DELETE ON transitions TO :"role";
GRANT SELECT ON breakers TO :"roles";
