-- Why: after an outage whatever waited is due at the same time. Then those accepted first go first, and an operator sees who waits, for how long and for
-- what.

-- `since`: when the work began that is not done yet (the request's acceptance, or the first wish to ask Stripe), on the clock of decisions; a new wish for the
-- same payment does not make it younger. `waits_for`: why the last run left it, null while it has never been left. `not_before`: a limit turned it away until
-- then; `due_at` stays, so that it keeps its place. `woken`: the closing of a breaker that made it due last; nothing is woken twice for one.
ALTER TABLE payment_work ADD COLUMN since timestamptz;
ALTER TABLE payment_work ADD COLUMN waits_for text;
ALTER TABLE payment_work ADD COLUMN not_before timestamptz;
ALTER TABLE payment_work ADD COLUMN woken text;
UPDATE payment_work SET since = date_trunc('milliseconds', coalesce(due_at, clock_timestamp()));
ALTER TABLE payment_work ALTER COLUMN since SET NOT NULL;
DROP INDEX payment_work_due_at_index;
CREATE INDEX payment_work_due_at_since_index ON payment_work (due_at, since) WHERE due_at IS NOT NULL;

-- Why a canceled payment was canceled: Stripe's reason or one of ours (expired, expired_in_queue, dead_lettered). Part of the projection.
ALTER TABLE payments ADD COLUMN cancellation_reason text;
UPDATE payments p SET cancellation_reason = (
  SELECT e.data->>'reason' FROM events e WHERE e.stream = 'payment:' || p.id AND e.type = 'PaymentCanceled' ORDER BY e.version LIMIT 1
) WHERE p.status = 'canceled';
