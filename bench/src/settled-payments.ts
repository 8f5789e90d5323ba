import { type Client } from 'pg';
import { Pool } from 'undici';

/** Where payments are made, and where they are recorded. */
export interface Books {
  stripe: { url: string; key: string };
  admin: Client;
}

const AT_ONCE = 16;
const AMOUNT = 4200;

interface Listed {
  id: string;
  created: number;
}
interface Intent extends Listed {
  metadata: { payment_id: string };
  latest_charge: string;
}
interface Movement extends Listed {
  source: string;
  net: number;
  fee: number;
}

const paymentId = (n: number): string => `pay_${String(n).padStart(24, '0')}`;

/** Makes payments from the `from`-th to the `to`-th at Stripe, paid at once, and waits until their money is on the balance. */
export async function makePayments({ stripe }: Books, from: number, to: number): Promise<void> {
  const pool = new Pool(stripe.url, { connections: AT_ONCE });
  let next = from;
  const worker = async (): Promise<void> => {
    while (next < to) {
      const n = next++;
      const { statusCode, body } = await pool.request({
        method: 'POST',
        path: '/v1/payment_intents',
        headers: { authorization: `Bearer ${stripe.key}`, 'content-type': 'application/x-www-form-urlencoded' },
        body: `amount=${AMOUNT}&currency=usd&confirm=true&payment_method=pm_card_visa&automatic_payment_methods[enabled]=true&automatic_payment_methods[allow_redirects]=never&metadata[tenant_id]=default&metadata[payment_id]=${paymentId(n)}`,
      });
      const text = await body.text();
      if (statusCode !== 200) throw new Error(`Stripe answered ${statusCode}: ${text}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  await pool.close();
}

/**
 * Records what Stripe has as it would be after all news: payments, receipts, and the ledger from both sides; answers how many payments. What is recorded already stays. The
 * projection itself is what `bench -- rebuild` measures.
 */
export async function recordAll({ stripe, admin }: Books, log: (line: string) => void): Promise<number> {
  const intents = await every<Intent>(stripe, 'payment_intents');
  const movements = new Map((await every<Movement>(stripe, 'balance_transactions')).map((one) => [one.source, one]));
  for (let at = 0; at < intents.length; at += CHUNK) {
    const some = intents.slice(at, at + CHUNK);
    const moved = some.map((one) => movements.get(one.latest_charge));
    if (moved.includes(undefined)) throw new Error('Stripe has not settled a charge yet');
    const values = [
      some.map((one) => one.metadata.payment_id),
      some.map((one) => one.id),
      some.map((one) => new Date(one.created * 1000)),
      moved.map((one) => one!.id),
      moved.map((one) => one!.net),
      moved.map((one) => one!.fee),
      moved.map((one) => new Date(one!.created * 1000)),
    ];
    await admin.query(RECORD, values);
  }
  await admin.query(`UPDATE reconciliation.balance_sweep SET read_to = now() + interval '1 minute'`);
  await admin.query('ANALYZE');
  log(`${intents.length} payments are recorded`);
  return intents.length;
}

const CHUNK = 5_000;
const RECORD = `
  WITH k AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::bigint[], $6::bigint[], $7::timestamptz[])
      AS k (payment_id, intent, at, txn, net, fee, moved_at)
  ), payments AS (
    INSERT INTO reconciliation.recorded_payments (payment_id, tenant, status, amount, amount_captured, amount_refunded, currency, stripe_payment_intent, livemode,
      created_at, updated_at, epoch, version)
    SELECT payment_id, 'default', 'succeeded', ${AMOUNT}, ${AMOUNT}, 0, 'usd', intent, false, at, at, 1, 1 FROM k ON CONFLICT DO NOTHING
  ), receipts AS (
    INSERT INTO reconciliation.recorded_receipts (receipt_id, payment_id, tenant, kind, number, issued_at)
    SELECT 'rcp_' || payment_id, payment_id, 'default', 'receipt', payment_id, at FROM k ON CONFLICT DO NOTHING
  ), posted AS (
    INSERT INTO reconciliation.ledger_payments (payment_id, epoch, version) SELECT payment_id, 1, 1 FROM k ON CONFLICT DO NOTHING
  )
  INSERT INTO reconciliation.ledger_entries (transaction_id, line, tenant, account, currency, amount, reference, payment_id, event, occurred_at)
  SELECT l.transaction_id, l.line, 'default', l.account, 'usd', l.amount, intent, payment_id, l.event, l.occurred_at FROM k CROSS JOIN LATERAL (VALUES
    ('sale ' || payment_id, 1, 'sales', -${AMOUNT}, 'payment.succeeded', at),
    ('sale ' || payment_id, 2, 'stripe_clearing', ${AMOUNT}, 'payment.succeeded', at),
    (txn, 1, 'stripe_balance', net, 'fee.recorded', moved_at),
    (txn, 2, 'stripe_clearing', -${AMOUNT}, 'fee.recorded', moved_at),
    (txn, 3, 'stripe_fees', fee, 'fee.recorded', moved_at)
  ) AS l (transaction_id, line, account, amount, event, occurred_at)
  ON CONFLICT DO NOTHING`;

async function every<T extends Listed>(stripe: Books['stripe'], list: string): Promise<T[]> {
  const all: T[] = [];
  for (let after = ''; ;) {
    const answer = await fetch(`${stripe.url}/v1/${list}?limit=100${after}`, { headers: { authorization: `Bearer ${stripe.key}` } });
    const page = (await answer.json()) as { data: T[]; has_more: boolean };
    all.push(...page.data);
    if (!page.has_more) return all;
    after = `&starting_after=${page.data.at(-1)!.id}`;
  }
}
