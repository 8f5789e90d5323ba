import { InvoiceId, SubscriptionId } from '@tidegate/contracts/ids';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { type StripePort } from '@tidegate/stripe-gateway/port';
import { inTransaction } from '@tidegate/database/transaction';
import { type Failpoints } from '@tidegate/database/failpoints';
import { currentTraceparent } from '@tidegate/telemetry/tracing';
import { type Kysely } from 'kysely';
import { z } from 'zod';
import { invoiceKind } from '../invoice/invoice.kind.js';
import { type AnyObservedKind, known } from '../observed/observed.store.js';
import { adopt, type AdoptionRules } from '../stripe-events/adopt.js';
import { describePayment } from '../checkout/adopt-payment.js';
import { forgetLateComer } from '../customer/customer.erasure.js';
import { snapshotOf as checkoutSnapshot } from '../checkout/checkout.publish.js';
import { type Checkout } from '../checkout/checkout.state.js';
import { load as loadCheckout } from '../checkout/checkout.store.js';
import { invoiceOf } from '../stripe-events/invoice-of.js';
import { ownIntent } from '../stripe-events/own-intent.js';
import { pageOf } from '../stripe-events/page-of.js';
import { tenantOf } from '../stripe-events/tenant-of.js';
import { type PaymentsTables } from '../tables.js';
import { subscriptionKind } from '../subscription/subscription.kind.js';
import { wishRefresh } from '../work/work.store.js';
import { type IntentFinder } from './intent-finder.js';
import { snapshotOf } from './payment.publish.js';
import { problemReply } from './payment.reply.js';
import { type RouteHandler } from './payment.rpc.js';
import { type Payment } from './payment.state.js';
import { commit, load, nothingLoaded, PaymentMoved } from './payment.store.js';

export interface RepairDeps {
  db: Kysely<PaymentsTables>;
  stripe: StripePort;
  finder: IntentFinder;
  failpoints: Failpoints;
  clock: { now(): Date };
  rules: AdoptionRules;
  onCommitted(): void;
  onWork(): void;
}

/** One of the ids will do. Not tenant-bound: its callers are services and operators. */
const RepairBody = z.object({
  payment_id: z.string().optional(),
  stripe_payment_intent: z.string().optional(),
  checkout_id: z.string().optional(),
  stripe_subscription: SubscriptionId.optional(),
  stripe_invoice: InvoiceId.optional(),
  reason: z.string().default('repair'),
});

/**
 * `payments.rpc.payment.repair.v1`: believes Stripe about one payment. Known ones are asked for at once, by the same road as a webhook; an unknown intent is
 * adopted; a checkout, subscription or invoice is asked for in the same way. Answers 202 `{ payment_id, action: refresh | adopt | none, told? }`; the outcome comes as published facts.
 * `told` is what we say of the object now, with the count of its facts, for who fears to have missed one.
 */
export function repairHandlers(deps: RepairDeps): Partial<Record<RpcSubject, RouteHandler>> {
  return { [RPC.paymentRepair]: (request) => repair(deps, request) };
}

async function repair(deps: RepairDeps, request: Parameters<RouteHandler>[0]) {
  const body = RepairBody.safeParse(request.body);
  if (!body.success) return problemReply('validation.failed', 'Give the id of what is to be looked up.', request.request_id);
  const { payment_id = '', stripe_payment_intent = '', checkout_id, stripe_subscription, stripe_invoice } = body.data;
  if (checkout_id !== undefined) return refreshCheckout(deps, checkout_id, request);
  if (stripe_subscription !== undefined) return refreshObserved(deps, subscriptionKind, stripe_subscription);
  if (stripe_invoice !== undefined) return refreshObserved(deps, invoiceKind, stripe_invoice);
  const payment = await deps.db
    .selectFrom('payments')
    .select('id')
    .where((eb) => eb.or([eb('id', '=', payment_id), eb('stripe_payment_intent', '=', stripe_payment_intent)]))
    .executeTakeFirst();
  if (payment) return refreshPayment(deps, payment.id);
  return stripe_payment_intent === ''
    ? problemReply('not_found', 'There is no such payment.', request.request_id)
    : adoptIntent(deps, stripe_payment_intent, request);
}

async function refreshPayment(deps: RepairDeps, paymentId: string) {
  await wishRefresh(deps.db, paymentId, deps.clock.now());
  deps.onWork();
  return jsonReply(202, { payment_id: paymentId, action: 'refresh', told: await toldOf(deps, paymentId) });
}

async function toldOf({ db }: RepairDeps, paymentId: string) {
  const payment = (await load(db, paymentId)).state as Payment;
  return { object: 'payment', tenant: payment.terms.tenant, version: payment.published, snapshot: snapshotOf(payment) };
}

async function refreshCheckout({ db, clock, onWork }: RepairDeps, checkoutId: string, request: Parameters<RouteHandler>[0]) {
  const { state, version } = await loadCheckout(db, checkoutId);
  if (version === 0) return problemReply('not_found', 'There is no such checkout.', request.request_id);
  await wishRefresh(db, checkoutId, clock.now());
  onWork();
  const checkout = state as Checkout;
  // One that never got a page was never published.
  if (checkout.published === 0) return jsonReply(202, { payment_id: checkout.payment_id, action: 'refresh' });
  const told = { object: 'checkout', tenant: checkout.terms.tenant, version: checkout.published, snapshot: checkoutSnapshot(checkout) };
  return jsonReply(202, { payment_id: checkout.payment_id, action: 'refresh', told });
}

/** One that is not known yet becomes known by the look. */
async function refreshObserved({ db, clock, onWork }: RepairDeps, kind: AnyObservedKind, id: string) {
  const { observed } = await known(db, kind, id);
  await wishRefresh(db, id, clock.now());
  onWork();
  const told = observed && {
    object: kind.name,
    tenant: observed.tenant,
    version: observed.published,
    snapshot: kind.snapshotOf(observed),
  };
  return jsonReply(202, { payment_id: null, action: 'refresh', ...(told ? { told } : {}) });
}

async function adoptIntent(deps: RepairDeps, intentId: string, request: Parameters<RouteHandler>[0]) {
  const unanswered = () =>
    problemReply('payments.stripe_unavailable', 'Stripe could not be asked.', request.request_id, { retryAfterMs: 5000 });
  const outcome = await deps.stripe.retrieveIntent(intentId);
  if (outcome.kind === 'not_found') return problemReply('not_found', 'Stripe knows no such intent.', request.request_id);
  if (outcome.kind !== 'ok') return unanswered();
  const own = await ownIntent(deps.finder, outcome.value);
  if (own.kind !== 'ok') return unanswered();
  const intent = own.value;
  const page = await pageOf(deps.stripe, intent, deps.clock.now());
  if (page.kind !== 'ok') return unanswered();
  const invoice = await invoiceOf(deps, intent);
  const owner = await tenantOf(deps, intent);
  if (invoice.kind !== 'ok' || owner.kind !== 'ok') return unanswered();
  const now = deps.clock.now();
  const origin = { session: page.session?.id ?? null, invoice: invoice.invoice, tenant: owner.tenant };
  const adoption = adopt(intent, deps.rules, now, origin);
  if (adoption.kind === 'foreign') return jsonReply(202, { payment_id: null, action: 'none', reason: adoption.reason });
  const metadata = { correlation_id: request.correlation_id, causation_id: null, traceparent: currentTraceparent(), actor: request.actor };
  try {
    await inTransaction(deps, 'payments.refresh.recorded', async (tx) => {
      await commit(tx, { paymentId: adoption.terms.payment_id, before: nothingLoaded, events: adoption.events, now, metadata });
      await describePayment(tx, intent, adoption.terms.payment_id, page.session?.email ?? null);
      await forgetLateComer(tx, intent.customer, now);
      await wishRefresh(tx, adoption.terms.payment_id, now);
    });
  } catch (error) {
    if (!(error instanceof PaymentMoved)) throw error;
    // It is known, with another intent or without the id of this one yet: it is asked for like any other.
    return refreshPayment(deps, adoption.terms.payment_id);
  }
  deps.onCommitted();
  deps.onWork();
  return jsonReply(202, { payment_id: adoption.terms.payment_id, action: 'adopt' });
}
