-- Why: Stripe lists an event for 30 days. While every delivery is lost and the list is not read, that time runs out, and what was not read by then can only be found
-- by reconciliation: so it must be known how much was never read. And an operator may want a time read once more, from further back than each sweep looks.

-- Seconds of Stripe's time that no sweep had read when Stripe stopped listing them, in all.
ALTER TABLE sweep_cursors ADD COLUMN unlisted_seconds bigint NOT NULL DEFAULT 0;

-- One row per sweep that an operator ordered: Stripe's events from `since` up to `until`, read an hour at a time; `swept_until` is how far it is. `found`: events
-- that were not stored. `lease_epoch`: the leader that wrote last; an older one writes nothing.
CREATE TABLE sweep_orders (
  id text PRIMARY KEY,
  since timestamptz NOT NULL,
  until timestamptz NOT NULL,
  swept_until timestamptz NOT NULL,
  found bigint NOT NULL DEFAULT 0,
  actor text NOT NULL,
  reason text NOT NULL,
  ordered_at timestamptz NOT NULL,
  finished_at timestamptz,
  lease_epoch bigint NOT NULL DEFAULT 0
);
CREATE INDEX sweep_orders_ordered_at ON sweep_orders (ordered_at DESC, id);
