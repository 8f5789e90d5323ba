-- Why: whatever is asked about a payment is asked about its refunds and disputes, too. Without an index on their payment, all of them were read for each payment of a period,
-- and no run came to its end once there were some ten thousand refunds.

-- For tables that are made anew; those that are there get them in 0011.
CREATE FUNCTION index_parts_of_payments() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = reconciliation, pg_temp SET client_min_messages = warning AS $$
BEGIN
  CREATE INDEX IF NOT EXISTS recorded_refunds_of_payment ON recorded_refunds (payment_id);
  CREATE INDEX IF NOT EXISTS recorded_refunds_unknown ON recorded_refunds (updated_at) WHERE status = 'unknown';
  CREATE INDEX IF NOT EXISTS recorded_disputes_of_payment ON recorded_disputes (payment_id);
END
$$;
