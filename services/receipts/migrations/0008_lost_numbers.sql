-- Why: as 0007. Who gave the numbers up, and by which order, is in operator_actions under receipts.recover.

-- One row per number that was given before the database was restored and whose receipt nobody has. It is never given again.
CREATE VIEW lost_numbers AS
SELECT data ->> 'tenant' AS tenant, data ->> 'series' AS series, (data ->> 'year')::integer AS year, (data ->> 'sequence')::bigint AS sequence,
  data ->> 'number' AS number, data ->> 'reason' AS reason, occurred_at AS recorded_at
FROM events WHERE type = 'ReceiptLost';
