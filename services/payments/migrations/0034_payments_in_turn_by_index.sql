-- Why: as 0033. And payments are in no other index of what is due: with one by time alone beside it, a planner that believes that hardly any is due, as it does a moment
-- after Stripe answers again, reads all that are. It also spares what each payment costs.
CREATE INDEX CONCURRENTLY IF NOT EXISTS payment_work_tenant_due_at_since_index ON payment_work (tenant, due_at, since) WHERE kind = 'pay' AND due_at IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS payment_work_objects_due_at_since_index ON payment_work (kind, due_at, since) WHERE kind <> 'pay' AND due_at IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS payment_work_kind_due_at_since_index;
