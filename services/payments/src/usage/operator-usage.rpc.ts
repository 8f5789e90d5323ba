import { type MissingCounterView, type StaleCounterView, STALE_REASONS } from '@tidegate/contracts/usage';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { type Kysely } from 'kysely';
import { problemReply } from '../payment/payment.reply.js';
import { type RouteHandler } from '../payment/payment.rpc.js';
import { type PaymentsTables } from '../tables.js';
import { pageOf, placeOf } from './list-place.js';
import { missingCounters, type MissingRow, staleCounters, type StaleRow } from './stale.store.js';
import { STALE_MS } from './usage.metrics.js';

interface OperatorUsageDeps {
  db: Kysely<PaymentsTables>;
  clock: { now(): Date };
}

type Request = Parameters<RouteHandler>[0];

/** What operators see of usage of all tenants. */
export const operatorUsageHandlers = (deps: OperatorUsageDeps): Partial<Record<RpcSubject, RouteHandler>> => ({
  [RPC.operatorUsageMissing]: (request) => missing(deps, request),
  [RPC.operatorUsageStale]: (request) => stale(deps, request),
});

const badCursor = ({ request_id }: Request) =>
  problemReply('validation.failed', 'The query is not valid.', request_id, {
    errors: [{ path: 'cursor', message: 'is not a cursor of this list' }],
  });

async function missing({ db, clock }: OperatorUsageDeps, request: Request) {
  const place = placeOf(request.query, 3);
  if (!place) return badCursor(request);
  const rows = await missingCounters(db, { after: place.after, limit: place.limit + 1 });
  const now = clock.now();
  const view = (row: MissingRow): MissingCounterView => ({
    object: 'missing_counter',
    tenant: row.tenant,
    customer: row.customer,
    meter: row.meter,
    reason: 'customer_unknown',
    events: row.events,
    value: row.value,
    first_at: row.first_at.toISOString(),
    waiting_since: row.since.toISOString(),
    age_seconds: Math.max(0, Math.floor((now.getTime() - row.since.getTime()) / 1000)),
    attempts: row.attempt,
  });
  return jsonReply(200, pageOf(rows, place.limit, { view, key: (row) => [row.customer, row.meter, row.tenant] }));
}

async function stale({ db, clock }: OperatorUsageDeps, request: Request) {
  const place = placeOf(request.query, 3);
  const [hour = '', customer = '', meter = ''] = place?.after ?? [];
  if (!place || (place.after && Number.isNaN(Date.parse(hour)))) return badCursor(request);
  const { older_than } = request.query;
  const rows = await staleCounters(db, {
    now: clock.now(),
    olderThanMs: older_than === undefined ? STALE_MS : Number(older_than) * 1000,
    after: place.after && { hour: new Date(hour), customer, meter },
    limit: place.limit + 1,
  });
  return jsonReply(200, pageOf(rows, place.limit, { view: staleView, key: (row) => [row.hour.toISOString(), row.customer, row.meter] }));
}

const staleView = (row: StaleRow): StaleCounterView => ({
  object: 'stale_counter',
  tenant: row.tenant,
  customer: row.customer,
  meter: row.meter,
  hour: row.hour.toISOString(),
  value: row.value,
  unreported_events: row.unreported,
  reason: reasonOf(row),
  unreported_since: row.unreported_since?.toISOString() ?? null,
  last_reconciled_at: row.last_reconciled_at?.toISOString() ?? null,
});

function reasonOf({ is_due, waits_for, lost }: StaleRow): StaleCounterView['reason'] {
  if (is_due) return STALE_REASONS.find((one) => one === waits_for) ?? 'unreported';
  return lost ? 'expired' : 'not_compared';
}
