import { type Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import { type CheckoutSession, type Intent } from '@tidegate/stripe-gateway/intent';
import { type Kysely, sql } from 'kysely';
import { forgetLateComer } from '../customer/customer.erasure.js';
import { type PaymentMetrics } from '../payment/payment.metrics.js';
import { metadataOf } from '../payment/recorder.js';
import { type Cause } from '../payment/run.js';
import { commit, nothingLoaded, PaymentMoved } from '../payment/payment.store.js';
import { adopt, type AdoptionRules } from '../stripe-events/adopt.js';
import { type PaymentsTables } from '../tables.js';
import { wishRefresh } from '../work/work.store.js';
import { openerOf } from './stripe-calls.js';

export interface AdoptionDeps {
  db: Kysely<PaymentsTables>;
  failpoints: Failpoints;
  clock: { now(): Date };
  rules: AdoptionRules;
  metrics: PaymentMetrics;
  onCommitted(): void;
}

/** Makes the payment of a page known here, if Stripe's news has not done so already: whoever sees the checkout complete shall see its payment, too. */
export async function adoptPayment(
  deps: AdoptionDeps,
  { session, intent, cause }: { session: CheckoutSession; intent: Intent; cause: Cause },
): Promise<void> {
  const now = deps.clock.now();
  const adoption = adopt(intent, deps.rules, now, { session: session.id, invoice: null, tenant: deps.rules.tenant });
  if (adoption.kind === 'foreign') return;
  const paymentId = adoption.terms.payment_id;
  const known = await deps.db
    .selectFrom('payments')
    .select('id')
    .where((eb) => eb.or([eb('id', '=', paymentId), eb('stripe_payment_intent', '=', intent.id)]))
    .executeTakeFirst();
  if (!known) {
    try {
      const { state } = await inTransaction(deps, 'payments.checkout.payment_adopted', async (tx) => {
        const after = await commit(tx, { paymentId, before: nothingLoaded, events: adoption.events, now, metadata: metadataOf(cause) });
        await describePayment(tx, intent, paymentId, session.email);
        await forgetLateComer(tx, intent.customer, now);
        if (intent.status === 'succeeded') await wishRefresh(tx, paymentId, now);
        return after;
      });
      deps.metrics.changed(nothingLoaded.state, state);
      deps.onCommitted();
    } catch (error) {
      if (!(error instanceof PaymentMoved)) throw error;
    }
  } else await describePayment(deps.db, intent, known.id, session.email);
}

/**
 * What a receipt needs beyond the facts: the things that were bought, and the payer's address. In the transaction that makes the payment known, because a
 * receipt is issued as soon as it has succeeded. Nothing for a payment that no page of ours made, and nothing about a customer that was erased meanwhile.
 */
export async function describePayment(
  db: Kysely<PaymentsTables>,
  { metadata }: Pick<Intent, 'metadata'>,
  paymentId: string,
  email: string | null,
): Promise<void> {
  const checkoutId = metadata['checkout_id'];
  if (checkoutId === undefined) return;
  await sql`
    INSERT INTO request_details (command_id, payment_id, details)
    SELECT ${`${paymentId}:page`}, ${paymentId},
      jsonb_strip_nulls(jsonb_build_object('line_items', details -> 'line_items')
        || CASE WHEN erased THEN '{}' ELSE jsonb_build_object('locale', details -> 'locale', 'receipt_email', ${email}::text) END)
    FROM request_details, LATERAL (SELECT EXISTS (
      SELECT 1 FROM customers c JOIN payments p ON p.customer = c.stripe_customer WHERE p.id = ${paymentId} AND c.erased_at IS NOT NULL
    ) AS erased) AS customer
    WHERE command_id = ${openerOf(checkoutId)}
    ON CONFLICT (command_id) DO UPDATE SET details = excluded.details || request_details.details`.execute(db);
}
