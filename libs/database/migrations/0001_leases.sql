-- Why: a loop that must run once in the fleet elects its leader by a row, not by a session lock: a row survives a pooled connection, is seen by
-- operators, and names an epoch that every later write of the leader can be checked against.

-- One row per loop. The holder keeps it by renewing before expires_at; the epoch grows with every change of holder. Times are the database's.
CREATE TABLE leases (
  name text PRIMARY KEY,
  holder text NOT NULL,
  epoch bigint NOT NULL,
  expires_at timestamptz NOT NULL
);
