import type { CheckoutSession } from '@tidegate/stripe-gateway/intent';
import { sql } from 'kysely';
import { compareAbsentSession, compareSession, type RecordedCheckout } from '../checkout.decide.js';
import type { CompareDb, ObjectKind, UnseenQuery } from '../kind.js';
import { matched, ofPeriod } from '../matched.js';

const COLUMNS = sql.raw(
  'p.checkout_id, p.tenant, p.status, p.payment_status, p.payment_id, p.amount, p.currency, p.stripe_checkout_session, p.updated_at, p.created_at AS made_at',
);

/** Checkouts and the Checkout Sessions behind their pages. */
export const checkoutKind: ObjectKind<CheckoutSession, RecordedCheckout> = {
  name: 'checkout_session',
  remote: {
    list: (stripe, query) => stripe.listCheckoutSessions(query),
    retrieve: (stripe, id) => stripe.retrieveCheckoutSession(id),
    recordedFor: checkoutsFor,
    compare: compareSession,
    isOf: (ours, { id }) => ours.stripe_checkout_session === id,
    countsForeign: true,
  },
  local: {
    unseen: unseenCheckouts,
    byId: checkoutById,
    compareAbsent: compareAbsentSession,
    idOf: (checkout) => checkout.checkout_id,
    stripeIdOf: (checkout) => checkout.stripe_checkout_session,
  },
};

async function checkoutsFor(db: CompareDb, sessions: readonly CheckoutSession[]): Promise<Map<string, RecordedCheckout>> {
  const named = ({ metadata }: CheckoutSession) => metadata['checkout_id'];
  const { rows } = await sql<RecordedCheckout>`
    SELECT ${COLUMNS} FROM recorded_checkouts p WHERE stripe_checkout_session = ANY(${sessions.map((one) => one.id)}::text[])
    UNION SELECT ${COLUMNS} FROM recorded_checkouts p WHERE checkout_id = ANY(${sessions.flatMap((one) => named(one) ?? [])}::text[])`.execute(
    db,
  );
  const bySession = new Map(rows.map((row) => [row.stripe_checkout_session, row]));
  const byId = new Map(rows.map((row) => [row.checkout_id, row]));
  return matched(sessions, (one) => bySession.get(one.id) ?? byId.get(named(one) ?? ''));
}

async function checkoutById(db: CompareDb, checkoutId: string): Promise<RecordedCheckout | null> {
  const { rows } = await sql<RecordedCheckout>`SELECT ${COLUMNS} FROM recorded_checkouts p WHERE checkout_id = ${checkoutId}`.execute(db);
  return rows[0] ?? null;
}

/** An extended window has a page of another day. */
async function unseenCheckouts(db: CompareDb, query: UnseenQuery): Promise<RecordedCheckout[]> {
  const { rows } = await sql<RecordedCheckout>`
    SELECT ${COLUMNS} FROM recorded_checkouts p WHERE ${ofPeriod(query, { object: 'checkout_session', id: 'checkout_id', at: 'created_at' })}
    ORDER BY checkout_id LIMIT ${query.limit}`.execute(db);
  return rows;
}
