-- Browsers follow the billing stream, and cannot keep an API key: whoever has the key gets them a token for a few minutes.

-- One row per token that may still be used to connect. The token is shown once and never stored: `hash` is its SHA-256. It is worth as much as the key that it was made
-- with, for the billing stream only, and ends with it. Rows that have ended are removed when the next token is made.
CREATE TABLE stream_tokens (
  hash bytea NOT NULL,
  api_key text NOT NULL,
  expires_at timestamptz NOT NULL,
  CONSTRAINT stream_tokens_pkey PRIMARY KEY (hash),
  CONSTRAINT stream_tokens_api_key_exists FOREIGN KEY (api_key) REFERENCES api_keys (id) ON DELETE CASCADE,
  CONSTRAINT stream_tokens_hash_length CHECK (octet_length(hash) = 32)
);
CREATE INDEX stream_tokens_expires_at_idx ON stream_tokens (expires_at);
