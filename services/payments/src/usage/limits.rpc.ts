import { LIMIT_PERIODS, type LimitPeriod, SetUsageLimitBody, type UsageCheckView, type UsageLimitView } from '@tidegate/contracts/usage';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { type Kysely, sql } from 'kysely';
import { type CustomerCheck } from '../customer/customer.check.js';
import { problemReply } from '../payment/payment.reply.js';
import { type RouteHandler } from '../payment/payment.rpc.js';
import { type PaymentsTables } from '../tables.js';
import { usageOf } from './counters.store.js';
import { decideUse, type Used } from './limits.decide.js';
import { pageOf, placeOf } from './list-place.js';
import { calendarPeriod } from './period.decide.js';

export interface LimitsDeps {
  db: Kysely<PaymentsTables>;
  clock: { now(): Date };
  customers: CustomerCheck;
}

type Request = Parameters<RouteHandler>[0];

/** Limits of usage, and whether a customer may use more. */
export const limitHandlers = (deps: LimitsDeps): Partial<Record<RpcSubject, RouteHandler>> => ({
  [RPC.usageLimitSet]: (request) => set(deps, request),
  [RPC.usageLimitList]: (request) => list(deps, request),
  [RPC.usageCheck]: (request) => check(deps, request),
});

/** In the table every customer without a limit of his own. */
const EVERYBODY = '';

async function set({ db, clock, customers }: LimitsDeps, request: Request) {
  const body = SetUsageLimitBody.safeParse(request.body);
  if (!body.success) return problemReply('validation.failed', 'Give meter, period and limit.', request.request_id);
  const { meter, customer = EVERYBODY, period, limit } = body.data;
  const { tenant } = request;
  const fault = customer === EVERYBODY ? null : await customers.fault(customer, request);
  if (fault) return fault;
  if (limit === 'none')
    await sql`DELETE FROM usage_limits WHERE (tenant, meter, customer, period) = (${tenant}, ${meter}, ${customer}, ${period})`.execute(db);
  else
    await sql`
      INSERT INTO usage_limits (tenant, meter, customer, period, amount, updated_at)
      VALUES (${tenant}, ${meter}, ${customer}, ${period}, ${limit}::numeric, ${clock.now()})
      ON CONFLICT (tenant, meter, customer, period) DO UPDATE SET amount = excluded.amount, updated_at = excluded.updated_at`.execute(db);
  return jsonReply(200, viewOf({ meter, customer, period, amount: limit === 'none' ? null : limit }));
}

interface Row {
  meter: string;
  customer: string;
  period: LimitPeriod;
  amount: string | null;
}

const viewOf = ({ meter, customer, period, amount }: Row): UsageLimitView => ({
  object: 'usage_limit',
  meter,
  customer: customer === EVERYBODY ? null : customer,
  period,
  limit: amount,
});

async function list({ db }: LimitsDeps, { tenant, query, request_id }: Request) {
  const place = placeOf(query, 3);
  const { customer } = query;
  if (!place) return problemReply('validation.failed', 'The cursor is not one of this list.', request_id);
  const { limit, after } = place;
  const { rows } = await sql<Row>`
    SELECT meter, customer, period, trim_scale(amount)::text AS amount FROM usage_limits WHERE tenant = ${tenant}
      ${customer === undefined ? sql`` : sql`AND customer = ${customer}`}
      ${after ? sql`AND (meter, customer, period) > (${after[0]}, ${after[1]}, ${after[2]})` : sql``}
    ORDER BY meter, customer, period LIMIT ${limit + 1}`.execute(db);
  return jsonReply(200, pageOf(rows, limit, { view: viewOf, key: (row) => [row.meter, row.customer, row.period] }));
}

async function check({ db, clock }: LimitsDeps, { tenant, query }: Request) {
  const { customer = '', meter = '', value = '1' } = query;
  const now = clock.now();
  const { rows } = await sql<{ period: LimitPeriod; amount: string }>`
    SELECT DISTINCT ON (period) period, trim_scale(amount)::text AS amount FROM usage_limits
    WHERE tenant = ${tenant} AND meter = ${meter} AND customer IN (${customer}, ${EVERYBODY})
    ORDER BY period, customer DESC`.execute(db);
  const used = async ({ period, amount }: (typeof rows)[number]): Promise<Used> => {
    const [usage] = await usageOf(db, { tenant, customer, meter, ...calendarPeriod(period, now) });
    return { period, limit: amount, used: usage?.value ?? '0' };
  };
  const limits = await Promise.all(LIMIT_PERIODS.flatMap((period) => rows.filter((row) => row.period === period)).map(used));
  const view: UsageCheckView = { object: 'usage_check', customer, meter, value, ...decideUse(limits, value, now) };
  return jsonReply(200, view);
}
