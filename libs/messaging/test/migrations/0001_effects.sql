-- Why: what a test's handler did, in the transaction that marked the message done. A message handled twice would collide nowhere and show as two rows.

CREATE TABLE effects (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  consumer text NOT NULL,
  message_id uuid NOT NULL,
  position bigint NOT NULL,
  aggregate text NOT NULL,
  n integer NOT NULL,
  worker text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- A projection that a rebuild replaces.
CREATE TABLE totals (
  aggregate text PRIMARY KEY,
  messages integer NOT NULL,
  sum bigint NOT NULL
);
