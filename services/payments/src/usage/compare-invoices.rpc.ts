import { type BilledComparison, type BilledUsage, CompareInvoicesBody, type NotComparedReason } from '@tidegate/contracts/rpc/billed-usage';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { type Price } from '@tidegate/stripe-gateway/billing';
import { everyPage } from '@tidegate/stripe-gateway/every-page';
import { withFailpoints } from '@tidegate/stripe-gateway/with-failpoints';
import { type Logger } from '@tidegate/telemetry/logger';
import { problemReply } from '../payment/payment.reply.js';
import { type RouteHandler } from '../payment/payment.rpc.js';
import {
  beside,
  bills,
  type BilledVerdict,
  CLOCK_MARGIN_MS,
  comparable,
  judgeBilled,
  settledUnits,
  type TakenHour,
} from './billed.decide.js';
import { hoursOf, hoursTaken, meterOf, type PeriodOfUsage, takenIn } from './billed.store.js';
import { type CompareDeps } from './compare.rpc.js';
import { textOf, unitsOf } from './decimal.js';
import { Prices } from './prices.js';

export interface CompareInvoicesDeps extends CompareDeps {
  logger: Logger;
}

/** Nothing more is begun after this, so that the answer is in time. */
const LONGEST_MS = 8_000;

/**
 * `payments.rpc.usage.compare_invoices.v1`: what final invoices bill of meters, beside what Stripe took of their periods, to the second. Prices and meters cost one call
 * each; Stripe's subscriptions and summaries are asked for only where the two differ.
 */
export function compareInvoicesHandlers(deps: CompareInvoicesDeps): Partial<Record<RpcSubject, RouteHandler>> {
  const prices = new Prices(deps.stripe);
  return { [RPC.usageCompareInvoices]: (request) => compare(deps, prices, request) };
}

async function compare(deps: CompareInvoicesDeps, prices: Prices, request: Parameters<RouteHandler>[0]) {
  const body = CompareInvoicesBody.safeParse(request.body);
  if (!body.success) return problemReply('validation.failed', 'Give what invoices bill.', request.request_id);
  const until = Date.now() + LONGEST_MS;
  const told: BilledComparison = {
    object: 'billed_usage_comparison',
    looked_at: 0,
    compared: 0,
    agreeing: 0,
    pending: 0,
    differences: [],
    not_compared: [],
  };
  for (const billed of body.data.billed) {
    if (told.looked_at > 0 && Date.now() > until) break;
    const found = await lookAt(deps, prices, billed, beside(billed, body.data.billed));
    if (found === null)
      return problemReply('payments.stripe_unavailable', 'Stripe could not be asked.', request.request_id, { retryAfterMs: 2000 });
    told.looked_at += 1;
    if (found.kind === 'none') continue;
    told.compared += 1;
    if (found.kind === 'agree') told.agreeing += 1;
    if (found.kind === 'pending') told.pending += 1;
    if (found.kind === 'differs') told.differences.push(found.difference);
    const { invoice, price, start, end } = billed;
    if (found.kind === 'not_compared') told.not_compared.push({ invoice, price, start, end, reason: found.reason });
  }
  sayWhy(deps.logger, told.not_compared);
  return jsonReply(200, told);
}

type Looked =
  | { kind: 'none' | 'agree' | 'pending' }
  | { kind: 'not_compared'; reason: NotComparedReason }
  | { kind: 'differs'; difference: BilledComparison['differences'][number] };

const notCompared = (reason: NotComparedReason): Looked => ({ kind: 'not_compared', reason });

/** Null when Stripe gave no answer; `none`: it bills no usage. */
async function lookAt(
  deps: CompareInvoicesDeps,
  prices: Prices,
  billed: BilledUsage,
  others: readonly BilledUsage[],
): Promise<Looked | null> {
  const price = await prices.find(billed.price);
  if (price.kind === 'not_found') return notCompared('price_unknown');
  if (price.kind !== 'ok') return null;
  const wanted = comparable(billed, price.value);
  if (wanted === null) return { kind: 'none' };
  if ('reason' in wanted) return notCompared(wanted.reason);
  const found = await compareUnits(deps, billed, price.value, wanted.units);
  if (found?.kind !== 'differs') return found;
  const besides = await Promise.all(others.map((one) => prices.find(one.price)));
  if (besides.some(({ kind }) => kind !== 'ok' && kind !== 'not_found')) return null;
  const overlaps = besides.some((one) => one.kind === 'ok' && one.value.meter === price.value.meter);
  return overlaps ? notCompared('overlaps') : found;
}

async function compareUnits(deps: CompareInvoicesDeps, billed: BilledUsage, price: Price, units: bigint): Promise<Looked | null> {
  const stripeMeter = price.meter ?? '';
  const meter = await meterOf(deps.db, stripeMeter);
  if (!meter) return notCompared('meter_unknown');
  if (meter.formula !== 'sum' && meter.formula !== 'count') return notCompared('formula');
  const { customer, start, end } = billed;
  const period: PeriodOfUsage = { customer, meter: meter.event_name, start, end };
  const taken = await takenIn(deps.db, period);
  if (taken === null) return units === 0n ? { kind: 'agree' } : notCompared('not_ours');
  const [total, settled] = [unitsOf(taken.total), settledUnits(billed.settled)];
  if (bills(units + settled, total)) return { kind: 'agree' };
  if (taken.waiting) return { kind: 'pending' };
  const guard = await subscriptionAllows(deps, billed);
  if (guard !== 'yes') return guard && notCompared(guard);
  const now = deps.clock.now();
  const hours = await hoursAtStripe(deps, { period, stripeMeter, finalizedAt: billed.finalized_at });
  if (hours === null || hours === 'unknown_to_stripe') return hours && notCompared(hours);
  const verdict = judgeBilled({ total, billed: units, settled, hours, corrected: taken.corrected }, now);
  return verdict.kind === 'differs'
    ? { kind: 'differs', difference: differenceOf(billed, verdict, { ...taken, ...period, units }) }
    : verdict;
}

/** Whether the subscription bills all that is used in a period at its end; null when Stripe gave no answer. */
async function subscriptionAllows(
  { stripe }: CompareInvoicesDeps,
  { subscription, start }: BilledUsage,
): Promise<'yes' | NotComparedReason | null> {
  if (subscription === null) return 'unknown_to_stripe';
  const found = await stripe.retrieveSubscription(subscription);
  if (found.kind === 'not_found') return 'unknown_to_stripe';
  if (found.kind !== 'ok') return null;
  if (found.value.thresholds) return 'thresholds';
  return found.value.trial_end !== null && found.value.trial_end > start ? 'trial' : 'yes';
}

/** The hours that the period touches, ours beside Stripe's summaries; null when Stripe gave no answer. */
async function hoursAtStripe(
  { db, stripe, failpoints }: CompareInvoicesDeps,
  { period, stripeMeter, finalizedAt }: { period: PeriodOfUsage; stripeMeter: string; finalizedAt: number },
): Promise<TakenHour[] | 'unknown_to_stripe' | null> {
  const { from: start, to: end } = hoursOf(period);
  const reading = withFailpoints(stripe, failpoints, 'payments.usage.summary');
  const summaries = await everyPage((query) => reading.listMeterSummaries(stripeMeter, query), { customer: period.customer, start, end });
  if (summaries.kind === 'rejected' || summaries.kind === 'not_found') return 'unknown_to_stripe';
  if (summaries.kind !== 'ok') return null;
  // After Stripe's: what was reported while it was read shows as a call that is too young to be in a summary.
  const ours = await hoursTaken(db, period, new Date(finalizedAt * 1000 + CLOCK_MARGIN_MS));
  const theirs = new Map(summaries.value.map((one) => [one.start * 1000, one.value]));
  const known = new Set(ours.map(({ hour }) => hour.getTime()));
  const others = [...theirs].filter(([hour]) => !known.has(hour));
  return [
    ...ours.map(({ hour, ...one }) => ({ ...one, summary: theirs.get(hour.getTime()) ?? 0 })),
    ...others.map(([, summary]) => ({ sent: '0', summary, late: '0', last_call_at: null, doubted: false })),
  ];
}

function differenceOf(
  { quantities: _, settled, ...billed }: BilledUsage,
  { reason, late }: Extract<BilledVerdict, { kind: 'differs' }>,
  { tenant, meter, total, units }: { tenant: string; meter: string; total: string; units: bigint },
): BilledComparison['differences'][number] {
  return { ...billed, tenant, meter, local: total, late, remote: textOf(units), settled: textOf(settledUnits(settled)), reason };
}

function sayWhy(logger: Logger, lines: BilledComparison['not_compared']): void {
  if (lines.length === 0) return;
  const reasons: Record<string, number> = {};
  for (const { reason } of lines) reasons[reason] = (reasons[reason] ?? 0) + 1;
  logger.info({ event: 'billed_usage_not_compared', reasons, first: lines[0] }, 'What these invoices bill cannot be compared with usage');
}
