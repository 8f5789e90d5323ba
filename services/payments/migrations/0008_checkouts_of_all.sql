-- Why: operators list the checkouts of all tenants, newest first and page by page; the index of a tenant's list serves no list of all.

CREATE INDEX checkouts_created_at_index ON checkouts (created_at DESC, id DESC);
