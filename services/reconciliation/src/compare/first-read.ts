import type { Charge, Intent, Refund } from '@tidegate/stripe-gateway/intent';
import type { ListQuery, Page, StripeOutcome, StripePort } from '@tidegate/stripe-gateway/port';
import type { Kysely } from 'kysely';
import type { Period } from '../run/period.decide.js';
import { recordPage } from '../run/run.store.js';
import type { ReconciliationTables } from '../tables.js';
import { compareAbsentIntent, compareAbsentRefund, compareIntent, compareRefund, type CompareRules } from './compare.decide.js';
import { readPatiently } from './patient-stripe.js';
import { paymentsOfIntents, refundsOf, tenantOfIntent, unseenPayments, unseenRefunds } from './recorded.query.js';

export type CompareStripe = Pick<StripePort, 'listIntents' | 'listRefunds' | 'retrieveIntent' | 'retrieveRefund'>;

/** What a run compares, and with what. */
export interface CompareContext {
  db: Kysely<ReconciliationTables>;
  stripe: CompareStripe;
  rules: CompareRules;
  patienceMs: number;
  runId: string;
  attempt: number;
  tenant: string;
  period: Period;
  stopping: AbortSignal;
  /** Called from time to time: it is still at work. */
  alive(): void;
}

/** Something that seemed to disagree at first sight. Ids of both sides as far as known. */
export interface Suspect {
  object: 'payment' | 'refund';
  local_id: string | null;
  stripe_id: string | null;
}

export interface FirstRead {
  suspects: Suspect[];
  foreign: number;
}

/** The tenant of objects that name none and belong to no payment of ours. */
const DEFAULT_TENANT = 'default';
const LOCAL_PAGE = 500;

/**
 * Reads every page of Stripe's intents and refunds of the period and looks up what is recorded for each, then what is recorded of the period and was
 * on no page. Holds one page at a time and the suspects. Throws StripeUnanswered when a page cannot be read.
 */
export async function firstRead(context: CompareContext): Promise<FirstRead> {
  const result: FirstRead = { suspects: [], foreign: 0 };
  await eachPage(
    context,
    (query) => context.stripe.listIntents(query),
    (page) => readIntents(context, page, result),
  );
  await eachPage(
    context,
    (query) => context.stripe.listRefunds(query),
    (page) => readRefunds(context, page, result),
  );
  await readUnseenPayments(context, result);
  await readUnseenRefunds(context, result);
  return result;
}

async function eachPage<T extends Intent | Charge | Refund>(
  context: CompareContext,
  list: (query: ListQuery) => Promise<StripeOutcome<Page<T>>>,
  handle: (page: T[]) => Promise<void>,
): Promise<void> {
  for (let after: string | undefined; ;) {
    const query = { created: context.period, limit: 100, ...(after === undefined ? {} : { starting_after: after }) };
    const page = await readPatiently(() => list(query), context);
    if (page === null) throw new Error('Bug: Stripe has no such list');
    await handle(page.data);
    after = page.data.at(-1)?.id;
    if (!page.has_more || after === undefined) return;
  }
}

async function readIntents(context: CompareContext, intents: Intent[], result: FirstRead): Promise<void> {
  const recorded = await paymentsOfIntents(context.db, intents);
  const seen: string[] = [];
  for (const intent of intents) {
    const payment = recorded.get(intent.id) ?? null;
    if ((payment?.tenant ?? intent.metadata['tenant_id'] ?? DEFAULT_TENANT) !== context.tenant) continue;
    // A second intent that carries a payment's id is not the one that the payment is about.
    if (payment && (payment.stripe_payment_intent === null || payment.stripe_payment_intent === intent.id)) seen.push(payment.payment_id);
    const comparison = compareIntent(payment, intent, context.rules);
    if (comparison.kind === 'foreign') result.foreign += 1;
    if (comparison.kind === 'differs')
      result.suspects.push({ object: 'payment', local_id: payment?.payment_id ?? null, stripe_id: intent.id });
  }
  await recordPage(context.db, context, seen, intents.length);
}

async function readRefunds(context: CompareContext, refunds: Refund[], result: FirstRead): Promise<void> {
  const recorded = await refundsOf(context.db, refunds);
  const seen: string[] = [];
  for (const refund of refunds) {
    const ours = recorded.get(refund.id) ?? null;
    const owner = await ownerOfRefund(context, ours?.tenant ?? refund.metadata['tenant_id'], refund);
    if (owner === 'foreign') result.foreign += 1;
    if (owner !== context.tenant) continue;
    if (ours && (ours.stripe_refund === null || ours.stripe_refund === refund.id)) seen.push(ours.refund_id);
    if (compareRefund(ours, refund).kind === 'differs')
      result.suspects.push({ object: 'refund', local_id: ours?.refund_id ?? null, stripe_id: refund.id });
  }
  await recordPage(context.db, context, seen, refunds.length);
}

/** A refund made in the dashboard names no tenant: it belongs to that of its payment, and to nobody when the payment is nobody's. */
async function ownerOfRefund({ db, rules }: CompareContext, named: string | undefined, refund: Refund): Promise<string> {
  if (named !== undefined) return named;
  const tenant = refund.payment_intent === null ? null : await tenantOfIntent(db, refund.payment_intent);
  return tenant ?? (rules.unmarked === 'foreign' ? 'foreign' : DEFAULT_TENANT);
}

async function readUnseenPayments(context: CompareContext, result: FirstRead): Promise<void> {
  for (let after = ''; ;) {
    const page = await unseenPayments(context.db, { ...context, limit: LOCAL_PAGE, after });
    for (const payment of page) {
      if (payment.stripe_payment_intent === null && compareAbsentIntent(payment).kind === 'agrees') continue;
      result.suspects.push({ object: 'payment', local_id: payment.payment_id, stripe_id: payment.stripe_payment_intent });
    }
    context.alive();
    after = page.at(-1)?.payment_id ?? '';
    if (page.length < LOCAL_PAGE) return;
  }
}

async function readUnseenRefunds(context: CompareContext, result: FirstRead): Promise<void> {
  for (let after = ''; ;) {
    const page = await unseenRefunds(context.db, { ...context, limit: LOCAL_PAGE, after });
    for (const refund of page) {
      if (refund.stripe_refund === null && compareAbsentRefund(refund).kind === 'agrees') continue;
      result.suspects.push({ object: 'refund', local_id: refund.refund_id, stripe_id: refund.stripe_refund });
    }
    context.alive();
    after = page.at(-1)?.refund_id ?? '';
    if (page.length < LOCAL_PAGE) return;
  }
}
