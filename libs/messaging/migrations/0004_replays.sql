-- Why: an operator may have an event published once more, as a new message. A consumer that handled the first one must know it again, and one whose first one is
-- dead handles the new one in its place.

-- The message that the event was published as first; null for that message itself, and so for almost all rows.
ALTER TABLE inbox ADD COLUMN replay_of uuid;
CREATE INDEX inbox_replays ON inbox (consumer, generation, replay_of) WHERE replay_of IS NOT NULL;
