-- Why: an auditor who asks years later why a number is missing must be answered, and the events of all receipts are many.
CREATE INDEX CONCURRENTLY IF NOT EXISTS events_lost_numbers ON events (position) WHERE type = 'ReceiptLost';
