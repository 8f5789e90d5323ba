import { RepairUsageBody, type RepairUsageView } from '@tidegate/contracts/usage';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { recordOperatorAction } from '@tidegate/database/operator-action';
import { inTransaction } from '@tidegate/database/transaction';
import { everyPage } from '@tidegate/stripe-gateway/every-page';
import { type Logger } from '@tidegate/telemetry/logger';
import { sql } from 'kysely';
import { withFailpoints } from '@tidegate/stripe-gateway/with-failpoints';
import { problemReply } from '../payment/payment.reply.js';
import { type RouteHandler } from '../payment/payment.rpc.js';
import { type CompareDeps } from './compare.rpc.js';
import { textOf, unitsOf } from './decimal.js';
import { SUMMARY_LAG_MS } from './report.decide.js';

export interface UsageRepairDeps extends CompareDeps {
  logger: Logger;
}

/**
 * `payments.rpc.usage.repair.v1`: believes Stripe's summary of an hour as what Stripe has, so that the difference to our counter is reported next. For sums only:
 * single events cannot be taken back after a day. Not while a call may still show: its effect would be reported twice.
 */
export const usageRepairHandlers = (deps: UsageRepairDeps): Partial<Record<RpcSubject, RouteHandler>> => ({
  [RPC.usageRepair]: (request) => repair(deps, request),
});

interface Counter {
  value: string;
  lost: string;
  formula: string | null;
  stripe_meter: string | null;
}

async function repair(deps: UsageRepairDeps, request: Parameters<RouteHandler>[0]) {
  const body = RepairUsageBody.safeParse(request.body);
  if (!body.success) return problemReply('validation.failed', 'Give customer, meter, hour and reason.', request.request_id);
  const { customer, meter, reason } = body.data;
  const hour = new Date(body.data.hour);
  const refuse = (why: string) => problemReply('operations.illegal_state', why, request.request_id);
  const { rows } = await sql<Counter>`
    SELECT trim_scale(c.value)::text AS value, trim_scale(c.lost)::text AS lost, m.formula, m.stripe_meter
    FROM usage_counters c LEFT JOIN usage_meters m ON m.event_name = c.meter
    WHERE c.customer = ${customer} AND c.meter = ${meter} AND c.hour = ${hour}`.execute(deps.db);
  const [counter] = rows;
  if (!counter?.stripe_meter) return refuse('There is no such counter, or no meter for it.');
  if (counter.formula !== 'sum') return refuse('Only sums can be corrected.');
  const askedAt = deps.clock.now();
  if (mayBeHidden(await lastCallAt(deps.db, { customer, meter, hour }), askedAt))
    return refuse('It was reported within the hour, and the summary need not show that yet.');
  const reading = withFailpoints(deps.stripe, deps.failpoints, 'payments.usage.summary');
  const start = hour.getTime() / 1000;
  const summaries = await everyPage((query) => reading.listMeterSummaries(counter.stripe_meter ?? '', query), {
    customer,
    start,
    end: start + 3600,
  });
  if (summaries.kind === 'rejected' || summaries.kind === 'not_found') return refuse('Stripe has no summary of this customer.');
  if (summaries.kind !== 'ok')
    return problemReply('payments.stripe_unavailable', 'Stripe could not be asked.', request.request_id, { retryAfterMs: 5000 });
  const remote = textOf(unitsOf(summaries.value.reduce((sum, { value }) => sum + value, 0).toFixed(12)));
  const done = await believe(deps, { customer, meter, hour, remote, askedAt, actor: request.actor, reason });
  if (!done) return refuse('It is being reported right now; try again.');
  const { actor } = request;
  const target = { customer, meter, hour };
  deps.logger.info(
    { event: 'operator_action', actor, action: 'usage.repair', reason, ...target, remote },
    'An hour of usage is reported anew',
  );
  const difference = textOf(unitsOf(counter.value) - unitsOf(counter.lost) - unitsOf(remote));
  const view: RepairUsageView = {
    object: 'usage_repair',
    customer,
    meter,
    hour: hour.toISOString(),
    local: counter.value,
    remote,
    difference,
  };
  return jsonReply(200, view);
}

/**
 * What Stripe has is what its summary says; a report without an answer is part of that, or never was. Nothing when somebody holds the counter, or has reported of it since the
 * summary was asked for: that one would not show it.
 */
function believe(
  deps: UsageRepairDeps,
  {
    customer,
    meter,
    hour,
    remote,
    askedAt,
    actor,
    reason,
  }: { customer: string; meter: string; hour: Date; remote: string; askedAt: Date; actor: string; reason: string },
): Promise<boolean> {
  const now = deps.clock.now();
  return inTransaction(deps, 'payments.usage.repaired', async (tx) => {
    const { rows } = await sql<{ revision: number; difference: string }>`
      SELECT revision + 1 AS revision, (${remote}::numeric - sent)::text AS difference FROM usage_counters
      WHERE customer = ${customer} AND meter = ${meter} AND hour = ${hour} AND (holder IS NULL OR lease_until < clock_timestamp()) FOR UPDATE`.execute(
      tx,
    );
    const [counter] = rows;
    // A statement of its own, because one that waits for the row sees what came with it only of that row.
    if (!counter || mayBeHidden(await lastCallAt(tx, { customer, meter, hour }), askedAt)) return false;
    await sql`
      UPDATE usage_reports SET state = 'absent', ended_at = ${now}
      WHERE customer = ${customer} AND meter = ${meter} AND hour = ${hour} AND state IN ('open', 'settling')`.execute(tx);
    await sql`
      INSERT INTO usage_reports (customer, meter, hour, revision, identifier, value, events, at, state, submitted_at, ended_at)
      VALUES (${customer}, ${meter}, ${hour}, ${counter.revision}, ${`observed:${customer}:${meter}:${hour.toISOString()}:${counter.revision}`},
        ${counter.difference}::numeric, 0, ${hour}, 'observed', ${now}, ${now})`.execute(tx);
    await sql`
      UPDATE usage_counters SET sent = ${remote}::numeric, revision = ${counter.revision}, unreported_since = coalesce(unreported_since, ${now}),
        due_at = ${now}, attempt = 0, waits_for = NULL, holder = NULL, lease_until = NULL
      WHERE customer = ${customer} AND meter = ${meter} AND hour = ${hour}`.execute(tx);
    const target = `${customer} ${meter} ${hour.toISOString()}`;
    await recordOperatorAction(tx, { actor, action: 'usage.repair', target, reason, details: { remote } }, now);
    return true;
  });
}

async function lastCallAt(
  db: CompareDeps['db'],
  { customer, meter, hour }: { customer: string; meter: string; hour: Date },
): Promise<Date | null> {
  const { rows } = await sql<{ last: Date | null }>`
    SELECT max(last_call_at) AS last FROM usage_reports WHERE customer = ${customer} AND meter = ${meter} AND hour = ${hour}`.execute(db);
  return rows[0]?.last ?? null;
}

/** Whether a summary that was asked for at that time need not show the effect of the last call. */
const mayBeHidden = (lastCall: Date | null, askedAt: Date): boolean => askedAt.getTime() - (lastCall?.getTime() ?? 0) < SUMMARY_LAG_MS;
