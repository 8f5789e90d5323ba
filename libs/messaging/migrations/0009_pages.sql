-- Why: a projector may handle a page of messages that came in order while it stores them, so that no row counts its attempts. Should one of them end the process, it has to be known
-- afterwards that a page was begun there, or it would be begun again for ever.

-- `begun`: the position up to which a page was begun. While the watermark is below it, messages go through their lanes one by one.
ALTER TABLE inbox_watermarks ADD COLUMN begun bigint NOT NULL DEFAULT 0;
