-- Why: the PDF is made after the number is given, by whichever replica is free, and must be there for every later read.

-- The bytes. A missing or damaged row is rendered again when it is read; equal input, template, fonts and engine give equal bytes.
CREATE TABLE documents (
  receipt_id text PRIMARY KEY,
  sha256 text NOT NULL,
  pdf bytea NOT NULL,
  stored_at timestamptz NOT NULL
);
ALTER TABLE documents ALTER COLUMN pdf SET STORAGE EXTERNAL;

-- Who renders what now, and when a failed one is next. A lease, not a record: lost, the work is simply taken up again. `due_at` is on the service's
-- clock, `leased_until` on the database's. `attempts` counts starts, so a document that kills its process also waits longer each time.
CREATE TABLE renderings (
  receipt_id text PRIMARY KEY,
  attempts integer NOT NULL,
  due_at timestamptz NOT NULL,
  leased_until timestamptz NOT NULL
);
