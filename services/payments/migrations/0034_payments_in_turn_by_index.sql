-- Why: as 0033.
CREATE INDEX CONCURRENTLY IF NOT EXISTS payment_work_tenant_due_at_since_index ON payment_work (tenant, due_at, since) WHERE kind = 'pay' AND due_at IS NOT NULL;
