-- Why: each row that a run finds is looked for in the runs before. By `discrepancies_same`, whose ids may be null, all rows of a tenant, class and object were read
-- for each: 17,000 times 8,000 rows.

CREATE FUNCTION index_discrepancies() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = reconciliation, pg_temp SET client_min_messages = warning AS $$
BEGIN
  CREATE INDEX IF NOT EXISTS discrepancies_by_key
    ON discrepancies (tenant, class, object, (coalesce(stripe_id, '')), (coalesce(payment_id, '')), found_at DESC);
  DROP INDEX IF EXISTS discrepancies_same;
END
$$;

SELECT index_discrepancies();
