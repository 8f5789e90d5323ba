-- Why: news may come before what it is about. After a restore of the database Stripe tells of checkouts that are only here again when their request is repeated
-- (their ids follow from it), and until then nobody can say what the news means.

-- Messages that wait for what they are about: `parent` is the id of ours that their object names. A row is applied within seconds of its parent's arrival and
-- deleted; one whose parent never comes is told to be none of ours after three days, and deleted, too. Nothing in it is about a person.
CREATE TABLE parked_news (
  message_id text NOT NULL,
  parent text NOT NULL,
  message jsonb NOT NULL,
  parked_at timestamptz NOT NULL,
  CONSTRAINT parked_news_pkey PRIMARY KEY (message_id)
);
CREATE INDEX parked_news_parent_index ON parked_news (parent);
CREATE INDEX parked_news_parked_at_index ON parked_news (parked_at);
