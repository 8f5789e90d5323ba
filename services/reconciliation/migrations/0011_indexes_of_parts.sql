-- Why: as 0010.
CREATE INDEX CONCURRENTLY IF NOT EXISTS recorded_refunds_of_payment ON recorded_refunds (payment_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS recorded_refunds_unknown ON recorded_refunds (updated_at) WHERE status = 'unknown';
CREATE INDEX CONCURRENTLY IF NOT EXISTS recorded_disputes_of_payment ON recorded_disputes (payment_id);
