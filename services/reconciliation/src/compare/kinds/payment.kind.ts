import type { Intent } from '@tidegate/stripe-gateway/intent';
import { sql } from 'kysely';
import { hasEffect } from '../expected-status.decide.js';
import type { CompareDb, ObjectKind, UnseenQuery } from '../kind.js';
import { matched, ofPeriod } from '../matched.js';
import { compareAbsentIntent, compareIntent, type RecordedPayment } from '../payment.decide.js';

export const PAYMENT_COLUMNS = sql.raw(
  'p.payment_id, p.tenant, p.status, p.amount, p.amount_captured, p.currency, p.stripe_payment_intent, p.updated_at, p.created_at AS made_at',
);

/** Payments and their PaymentIntents. */
export const paymentKind: ObjectKind<Intent, RecordedPayment> = {
  name: 'payment',
  remote: {
    list: (stripe, query) => stripe.listIntents(query),
    retrieve: (stripe, id) => stripe.retrieveIntent(id),
    recordedFor: (db, intents) =>
      paymentsFor(
        db,
        intents.map(({ id, metadata }) => ({ id, intent: id, named: metadata['payment_id'] })),
      ),
    compare: compareIntent,
    isOf: (payment, { id }) => payment.stripe_payment_intent === null || payment.stripe_payment_intent === id,
    explained: ofOpenCheckouts,
    countsForeign: true,
  },
  local: {
    unseen: unseenPayments,
    byId: paymentById,
    compareAbsent: compareAbsentIntent,
    idOf: (payment) => payment.payment_id,
    stripeIdOf: (payment) => payment.stripe_payment_intent,
  },
};

/** The payments of these objects, by the object's id: the one that names the intent, else the one that the object names. */
export async function paymentsFor(
  db: CompareDb,
  objects: readonly { id: string; intent: string | null; named: string | undefined }[],
): Promise<Map<string, RecordedPayment>> {
  const { rows } = await sql<RecordedPayment>`
    SELECT ${PAYMENT_COLUMNS} FROM recorded_payments p WHERE stripe_payment_intent = ANY(${objects.flatMap((one) => one.intent ?? [])}::text[])
    UNION SELECT ${PAYMENT_COLUMNS} FROM recorded_payments p WHERE payment_id = ANY(${objects.flatMap((one) => one.named ?? [])}::text[])`.execute(
    db,
  );
  const byIntent = new Map(rows.map((row) => [row.stripe_payment_intent, row]));
  const byId = new Map(rows.map((row) => [row.payment_id, row]));
  return matched(objects, ({ intent, named }) => (intent === null ? undefined : byIntent.get(intent)) ?? byId.get(named ?? ''));
}

export async function paymentById(db: CompareDb, paymentId: string): Promise<RecordedPayment | null> {
  const { rows } = await sql<RecordedPayment>`SELECT ${PAYMENT_COLUMNS} FROM recorded_payments p WHERE payment_id = ${paymentId}`.execute(
    db,
  );
  return rows[0] ?? null;
}

async function unseenPayments(db: CompareDb, query: UnseenQuery): Promise<RecordedPayment[]> {
  const { rows } = await sql<RecordedPayment>`
    SELECT ${PAYMENT_COLUMNS} FROM recorded_payments p WHERE ${ofPeriod(query, { object: 'payment', id: 'payment_id', at: 'created_at' })}
    ORDER BY payment_id LIMIT ${query.limit}`.execute(db);
  return rows;
}

/** Money that came in by a page of ours that is not known to be complete: the checkout is what disagrees, and its repair brings the payment. */
async function ofOpenCheckouts(db: CompareDb, intents: readonly Intent[]) {
  const of = (intent: Intent) => intent.metadata['checkout_id'] ?? '';
  const named = intents.filter((intent) => of(intent) !== '' && hasEffect(intent.status));
  const rows =
    named.length === 0
      ? []
      : await db
          .selectFrom('recorded_checkouts')
          .select(['checkout_id', 'stripe_checkout_session'])
          .where('checkout_id', 'in', named.map(of))
          .where('status', '<>', 'complete')
          .execute();
  const byId = new Map(rows.map((row) => [row.checkout_id, row]));
  return matched(named, (intent) => {
    const checkout = byId.get(of(intent));
    return checkout && { object: 'checkout_session' as const, local_id: checkout.checkout_id, stripe_id: checkout.stripe_checkout_session };
  });
}
