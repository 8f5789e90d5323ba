-- Why: a payment can be disputed long after it succeeded, and an operator must see how long a payment has been in a status that should not last.

-- `disputes`: all of them, as the contract tells them, oldest first. `status_since`: when the payment came into its status; unlike updated_at it stands still
-- while look-ups and retries of the same status go on. Both follow from the events alone. Writers of the version before this one leave them as they are.
ALTER TABLE payments
  ADD COLUMN disputes jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN status_since timestamptz NOT NULL DEFAULT now();
UPDATE payments SET status_since = updated_at;

DROP INDEX payments_status_updated_at_index;
CREATE INDEX payments_status_since_index ON payments (status, status_since)
  WHERE status IN ('unknown', 'queued', 'processing', 'requires_action', 'authorized');
CREATE INDEX payments_disputed_index ON payments (id) WHERE disputes <> '[]'::jsonb;
