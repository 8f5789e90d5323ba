-- Why: each second a consumer asks for lanes whose lowest row was running when its process ended. Those are among the leased ones; without this index all that wait
-- were read for it, and with 80,000 waiting the consumer did nothing else.

CREATE INDEX inbox_lanes_leased ON inbox_lanes (consumer, generation) WHERE expires_at IS NOT NULL;
