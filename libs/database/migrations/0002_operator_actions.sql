-- Why: whoever changes something by hand leaves behind who, what, when and for which reason, in the transaction of the change itself. Logs are lost and
-- sampled; this is what an audit reads.

-- One row per change that a person asked for. `actor` is the API key (or the login of the shell for commands that use the database), `action` a verb such
-- as `breaker.reset`, `target` what it was done to. Insert only.
CREATE TABLE operator_actions (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  target text NOT NULL,
  reason text NOT NULL,
  details jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX operator_actions_at_index ON operator_actions (at DESC);
REVOKE UPDATE, DELETE ON operator_actions FROM :"role";
