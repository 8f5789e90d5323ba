-- Why: after an outage of days reports of usage are many. They get a share of the rate of their own, so that they never keep payments or look-ups waiting.

-- The bucket of that share: of this row only `per_second` (the rate of the whole fleet), `tokens` and `filled_at` count. What it lets through takes its token from
-- the row `stripe` like every other call.
INSERT INTO limiter (name, per_second) SELECT 'stripe_usage', per_second FROM limiter WHERE name = 'stripe';
