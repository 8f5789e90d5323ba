-- Why: as 0026.

-- Each loop takes work of one kind in the order of its time: a backlog of another kind is not read. Everything that went by the time alone names its kinds now.
CREATE INDEX CONCURRENTLY IF NOT EXISTS payment_work_kind_due_at_since_index ON payment_work (kind, due_at, since) WHERE due_at IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS payment_work_due_at_since_index;
