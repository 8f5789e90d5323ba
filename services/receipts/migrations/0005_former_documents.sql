-- Why: a document that was made anew took the place of the one that the payer had got, which the seller has to keep. In a store of objects each stays by its hash.

-- Documents that were on record before the one in `documents`. A table of its own, because services of the version before write to `documents` by its key. Unlike that
-- one it cannot be made again: what a former document showed may be known nowhere else.
CREATE TABLE former_documents (
  receipt_id text NOT NULL,
  sha256 text NOT NULL,
  pdf bytea NOT NULL,
  stored_at timestamptz NOT NULL,
  PRIMARY KEY (receipt_id, sha256)
);
ALTER TABLE former_documents ALTER COLUMN pdf SET STORAGE EXTERNAL;

REVOKE UPDATE, DELETE ON former_documents FROM :"role";
