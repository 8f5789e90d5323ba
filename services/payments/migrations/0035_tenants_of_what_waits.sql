-- Why: as 0033. Whose the payments are that were queued before it: with one turn for all of them together, and in it behind what a busy tenant had queued, they expired.
UPDATE payment_work w SET tenant = p.tenant FROM payments p WHERE p.id = w.payment_id AND w.tenant = '';
