-- After a restore the record lacks what happened since the backup. Until that has been found at Stripe, requests that would move money, or make something that a lost
-- request may have made already, are held: this row says so to every gateway, and its end is an operator's.

-- At most one row: none is held while there is no row. `restore_point` is the instant of the backup.
CREATE TABLE holds (
  only_row boolean PRIMARY KEY DEFAULT true CONSTRAINT holds_is_one_row CHECK (only_row),
  restore_point timestamptz NOT NULL,
  reason text NOT NULL,
  actor text NOT NULL,
  held_at timestamptz NOT NULL
);
