import { RecordUsageBody, type RecordUsageView, type UsageView } from '@tidegate/contracts/usage';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { type Kysely } from 'kysely';
import { problemReply } from '../payment/payment.reply.js';
import { type RouteHandler } from '../payment/payment.rpc.js';
import { type PaymentsTables } from '../tables.js';
import { usageOf } from './counters.store.js';
import { type Fate, type UsageIntake } from './intake.js';
import { periodOf } from './period.decide.js';
import { judge } from './usage-event.decide.js';
import { type UsageMetrics } from './usage.metrics.js';

export interface UsageRpcDeps {
  db: Kysely<PaymentsTables>;
  clock: { now(): Date };
  intake: UsageIntake;
  metrics: UsageMetrics;
}

type Request = Parameters<RouteHandler>[0];

/** What tenants do with usage. */
export const usageHandlers = (deps: UsageRpcDeps): Partial<Record<RpcSubject, RouteHandler>> => ({
  [RPC.usageRecord]: (request) => record(deps, request),
  [RPC.usageGet]: (request) => get(deps, request),
});

async function record({ clock, intake, metrics }: UsageRpcDeps, request: Request) {
  const body = RecordUsageBody.safeParse(request.body);
  if (!body.success) return problemReply('validation.failed', 'Give 1 to 1000 events.', request.request_id);
  const { events } = body.data;
  const judged = events.map((event) => judge(event, request.tenant, clock.now()));
  const stored = await intake.record(judged.flatMap((one) => (typeof one === 'string' ? [] : [one])));
  const fates = judged.map((one): Fate => (typeof one === 'string' ? one : (stored.shift() ?? 'duplicate')));
  metrics.recorded(fates);
  const count = (...wanted: Fate[]) => fates.filter((fate) => wanted.includes(fate)).length;
  const view: RecordUsageView = {
    object: 'usage_events_recorded',
    accepted: count('accepted', 'parked'),
    duplicate: count('duplicate'),
    parked: count('parked'),
    rejected: fates.flatMap((code, index) => (isKept(code) ? [] : [{ id: events[index]?.id ?? '', code, index }])),
  };
  return jsonReply(200, view);
}

const isKept = (fate: Fate): fate is 'accepted' | 'parked' | 'duplicate' =>
  fate === 'accepted' || fate === 'parked' || fate === 'duplicate';

async function get({ db, clock }: UsageRpcDeps, { tenant, query, request_id }: Request) {
  const { customer = '', meter } = query;
  const period = periodOf(query, clock.now());
  if ('path' in period) return problemReply('validation.failed', 'The query is not valid.', request_id, { errors: [period] });
  const rows = await usageOf(db, { tenant, customer, meter, ...period });
  const [from, to] = [period.from.toISOString(), period.to.toISOString()];
  const data = rows.map(({ formula, ...row }): UsageView => ({
    object: 'usage',
    customer,
    meter: row.meter,
    aggregation: formula,
    from,
    to,
    value: row.value,
    events: row.events,
    unreported: row.unreported,
  }));
  return jsonReply(200, { data, has_more: false, next_cursor: null });
}
