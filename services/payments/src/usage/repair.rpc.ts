import { RepairUsageBody, type RepairUsageView } from '@tidegate/contracts/usage';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { inTransaction } from '@tidegate/database/transaction';
import { everyPage } from '@tidegate/stripe-gateway/every-page';
import { type Logger } from '@tidegate/telemetry/logger';
import { withFailpoints } from '@tidegate/stripe-gateway/with-failpoints';
import { problemReply } from '../payment/payment.reply.js';
import { type RouteHandler } from '../payment/payment.rpc.js';
import { counted } from './compare.decide.js';
import { type CompareDeps } from './compare.rpc.js';
import { textOf, unitsOf } from './decimal.js';
import { correctionOf } from './repair.decide.js';
import { correct, counterOf, doneBefore, doubtOf, type RepairedCounter, type RepairWish } from './repair.store.js';
import { SUMMARY_LAG_MS } from './report.decide.js';

export interface UsageRepairDeps extends CompareDeps {
  logger: Logger;
}

/**
 * `payments.rpc.usage.repair.v1`: believes Stripe's summary of an hour as what Stripe has, so that the difference to our counter is reported next. Of meters that
 * count events or take the latest, events that Stripe lacks are sent again; it takes none back after a day. Not while a call may still show: its effect would be
 * reported twice. The same wish again is answered as done.
 */
export const usageRepairHandlers = (deps: UsageRepairDeps): Partial<Record<RpcSubject, RouteHandler>> => ({
  [RPC.usageRepair]: (request) => repair(deps, request),
});

async function repair(deps: UsageRepairDeps, request: Parameters<RouteHandler>[0]) {
  const body = RepairUsageBody.safeParse(request.body);
  if (!body.success) return problemReply('validation.failed', 'Give customer, meter, hour and reason.', request.request_id);
  const wish: RepairWish = { ...body.data, hour: new Date(body.data.hour), actor: request.actor };
  const refuse = (why: string) => problemReply('operations.illegal_state', why, request.request_id);
  const counter = await counterOf(deps.db, wish);
  const formula = counter?.formula;
  if (!counter?.stripe_meter || !formula) return refuse('There is no such counter, or no meter for it.');
  const now = deps.clock.now();
  const lastCall = Math.max(counter.last_call_at?.getTime() ?? 0, doubtOf(counter)?.getTime() ?? 0);
  if (now.getTime() - lastCall < SUMMARY_LAG_MS) {
    const before = await doneBefore(deps.db, wish, now);
    if (before !== null) return told(wish, counter, before);
    return refuse('It was reported, or the database was restored, within the hour, and the summary need not show that yet.');
  }
  const summary = await summaryOf(deps, wish, counter.stripe_meter);
  if (summary.kind === 'rejected' || summary.kind === 'not_found') return refuse('Stripe has no summary of this customer.');
  if (summary.kind !== 'ok')
    return problemReply('payments.stripe_unavailable', 'Stripe could not be asked.', request.request_id, { retryAfterMs: 5000 });
  const remote = textOf(unitsOf(summary.value.toFixed(12)));
  // What a restore has lost may be among it, of a meter that counts events, too.
  const decide = (as: RepairedCounter) => (doubtOf(as) ? { kind: 'believe' as const } : correctionOf(formula, as, summary.value));
  const done = await inTransaction(deps, 'payments.usage.repaired', (tx) => correct(tx, wish, { decide, remote, now }));
  if (!done) return refuse('It is being reported right now; try again.');
  if (done.kind === 'refused') return refuse(done.reason);
  const { customer, meter, hour, actor, reason } = wish;
  deps.logger.info(
    { event: 'operator_action', actor, action: 'usage.repair', reason, customer, meter, hour, remote },
    'An hour of usage is reported anew',
  );
  return told(wish, counter, remote);
}

async function summaryOf({ stripe, failpoints }: UsageRepairDeps, { customer, hour }: RepairWish, stripeMeter: string) {
  const reading = withFailpoints(stripe, failpoints, 'payments.usage.summary');
  const start = hour.getTime() / 1000;
  const summaries = await everyPage((query) => reading.listMeterSummaries(stripeMeter, query), { customer, start, end: start + 3600 });
  return summaries.kind === 'ok' ? { ...summaries, value: summaries.value.reduce((sum, { value }) => sum + value, 0) } : summaries;
}

function told({ customer, meter, hour }: RepairWish, counter: RepairedCounter, remote: string) {
  const local = counted({ ...counter, formula: counter.formula ?? 'sum' });
  const beyond = unitsOf(local) - unitsOf(counter.lost) - unitsOf(remote);
  // What Stripe has more than the record after a restore is not taken back.
  const lacking = textOf(counter.doubted_since && beyond < 0n ? 0n : beyond);
  const difference = counter.formula === 'last' && lacking !== '0' ? local : lacking;
  const view: RepairUsageView = { object: 'usage_repair', customer, meter, hour: hour.toISOString(), local, remote, difference };
  return jsonReply(200, view);
}
