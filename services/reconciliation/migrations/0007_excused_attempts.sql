-- Why: `attempts` tells the execution of a run that goes on from one that was replaced, so it must never go back. A shutdown is no failed attempt all the same:
-- `excused` counts those that ended so, and is taken off where a run is given up.
ALTER TABLE run_progress ADD COLUMN excused integer NOT NULL DEFAULT 0;
