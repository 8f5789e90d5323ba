-- Why: a database that was restored from a backup does not know what was done since (docs/adr/0032). What follows from that outlasts every lease: a request of the lost
-- time may be repeated weeks later, and usage of hours that Stripe has in part comes back by its sender. So payments remembers that it was restored.

-- One row per restore: what was done between the two instants is not on record here, and may be done at Stripe.
CREATE TABLE restores (
  restored_at timestamptz NOT NULL,
  restore_point timestamptz NOT NULL,
  CONSTRAINT restores_pkey PRIMARY KEY (restored_at)
);

-- What Stripe had of an hour when it was first asked after a restore is a report in state `observed` with these two: the restore, and all that its summary said. An
-- event of a single-event meter that came back and is part of that is `observed`, too, with its id and the value 0: it is not sent again.
ALTER TABLE usage_reports ADD COLUMN restored_at timestamptz, ADD COLUMN stripe_had numeric;

-- To be called by the owner once the tables are as of the backup, before services start. Who holds work is `restored`: a call may have been made since of which not
-- even the beginning is on record. Hours that had something to report, or have gone on since, are asked for at Stripe without waiting for more usage.
CREATE FUNCTION database_was_restored(restore_point timestamptz, restored_at timestamptz DEFAULT clock_timestamp()) RETURNS void
LANGUAGE sql SET search_path = payments, pg_temp AS $$
  INSERT INTO restores (restored_at, restore_point) VALUES ($2, $1) ON CONFLICT DO NOTHING;
  UPDATE payment_work SET holder = 'restored', lease_until = clock_timestamp();
  UPDATE usage_counters SET holder = NULL, lease_until = NULL, due_at = least(due_at, $2), unreported_since = coalesce(unreported_since, $2)
  WHERE due_at IS NOT NULL OR hour >= $1 - interval '2 hours';
$$;
