-- Why: operators count and list late successes by what became of them, and when a refund fails the checkout that it gave back is looked for by its payment; late
-- successes are few, and neither reads all checkouts.
CREATE INDEX CONCURRENTLY IF NOT EXISTS checkouts_late_success_index ON checkouts (late_success, created_at DESC, id DESC) WHERE late_success IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS checkouts_late_payment_index ON checkouts (payment_id) WHERE late_success IS NOT NULL;
