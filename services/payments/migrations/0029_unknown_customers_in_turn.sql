-- Why: whose a customer is that nobody knows is asked of Stripe for one tenant after the other; what one tenant made up, however much it is, is not read for it.

CREATE INDEX CONCURRENTLY IF NOT EXISTS usage_unknown_customers_tenant_due_at_index ON usage_unknown_customers (tenant, due_at);
