-- Why: what we are asked to do with a subscription must be done at Stripe once, whatever happens on the way, and its outcome is what Stripe shows afterwards
-- (docs/adr/0025). So a command is a row that says how far it has come; nothing else is derived from it.

-- One row per accepted request to create, change or cancel a subscription, under an id that follows from the request's key; also per second subscription that a lost
-- call turns out to have made, which is canceled. `request` is the body. `step`: call (the call that it is about is to be made, or its answer is missing), pay (the same
-- for paying the first invoice), look (only to see how things stand now). `params` is what the current call of a change sends, word for word. Calls go out under
-- `{command_id}:{step}:{call_n}`, and number and time stand here before the first of them: `call_answer` missing means that it may have had its effect, `call_stored`
-- that Stripe will never say anything else under this key, `absent_since` when the effect of a change was first seen to be missing all the same. `state`: open, done, refused.
CREATE TABLE subscription_commands (
  id text NOT NULL,
  command_id text NOT NULL,
  tenant text NOT NULL,
  kind text NOT NULL CONSTRAINT subscription_commands_kind_known CHECK (kind IN ('create', 'change', 'cancel')),
  subscription text,
  invoice text,
  request jsonb NOT NULL,
  params jsonb,
  state text NOT NULL CONSTRAINT subscription_commands_state_known CHECK (state IN ('open', 'done', 'refused')),
  step text NOT NULL CONSTRAINT subscription_commands_step_known CHECK (step IN ('call', 'pay', 'look')),
  call_n integer NOT NULL,
  call_since timestamptz NOT NULL,
  call_answer text NOT NULL,
  call_stored boolean NOT NULL,
  absent_since timestamptz,
  version integer NOT NULL,
  created_at timestamptz NOT NULL,
  CONSTRAINT subscription_commands_pkey PRIMARY KEY (id),
  CONSTRAINT subscription_commands_command_id_key UNIQUE (command_id),
  CONSTRAINT subscription_commands_made CHECK (kind = 'create' OR subscription IS NOT NULL)
);
-- Changes of one subscription follow one another.
CREATE UNIQUE INDEX subscription_commands_one_change_index ON subscription_commands (subscription) WHERE kind = 'change' AND state = 'open';
