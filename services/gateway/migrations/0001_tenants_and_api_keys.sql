-- Who may call Tidegate. The gateway owns these two tables and nothing else; other services ask for a tenant by RPC and keep a copy.

-- One row per tenant. `zone` (IANA) decides the year of its receipts, `locale` (BCP 47) their language, `legal_lines` stand at their foot.
CREATE TABLE tenants (
  id text NOT NULL,
  name text NOT NULL,
  zone text NOT NULL DEFAULT 'UTC',
  locale text NOT NULL DEFAULT 'en',
  legal_lines jsonb NOT NULL DEFAULT '[]',
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT tenants_pkey PRIMARY KEY (id),
  CONSTRAINT tenants_id_shape CHECK (id ~ '^[a-z][a-z0-9-]{0,62}$'),
  CONSTRAINT tenants_legal_lines_array CHECK (jsonb_typeof(legal_lines) = 'array')
);

-- One row per API key. The key itself is shown once and never stored: `hash` is the SHA-256 of the whole key, which has 256 random bits, so that no
-- slow hash is needed. `id` is the public part of the key, for lists and audits.
CREATE TABLE api_keys (
  id text NOT NULL,
  tenant text NOT NULL,
  hash bytea NOT NULL,
  livemode boolean NOT NULL,
  scopes text[] NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz,
  revoked_at timestamptz,
  CONSTRAINT api_keys_pkey PRIMARY KEY (id),
  CONSTRAINT api_keys_tenant_exists FOREIGN KEY (tenant) REFERENCES tenants (id),
  CONSTRAINT api_keys_hash_length CHECK (octet_length(hash) = 32),
  CONSTRAINT api_keys_scopes_some CHECK (cardinality(scopes) > 0)
);
CREATE INDEX api_keys_tenant_idx ON api_keys (tenant);
