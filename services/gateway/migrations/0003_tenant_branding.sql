-- Why: documents carry the tenant's tax ids, its colour and its logo, besides the lines they had.

-- `accent` as #rrggbb. `logo` is a PNG of at most 64 KiB; its SHA-256 is computed when somebody asks.
ALTER TABLE tenants
  ADD COLUMN tax_ids jsonb NOT NULL DEFAULT '[]' CONSTRAINT tenants_tax_ids_array CHECK (jsonb_typeof(tax_ids) = 'array'),
  ADD COLUMN accent text CONSTRAINT tenants_accent_shape CHECK (accent ~ '^#[0-9a-f]{6}$'),
  ADD COLUMN logo bytea CONSTRAINT tenants_logo_size CHECK (octet_length(logo) <= 65536);
