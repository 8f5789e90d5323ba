-- Why: operators count the payments of all tenants by the hour of their creation. Rows lie in the table roughly in that order, so an index of block ranges
-- finds an hour and costs the writers next to nothing.

CREATE INDEX payments_created_at_brin ON payments USING brin (created_at) WITH (pages_per_range = 32, autosummarize = on);
