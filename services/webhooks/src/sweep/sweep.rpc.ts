import { randomBytes } from 'node:crypto';
import { OrderSweepBody, type SweepStatusView, type SweepView } from '@tidegate/contracts/ops/webhook-sweeps';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RouteRequest } from '@tidegate/contracts/rpc/routes';
import { type OperatorAction, recordOperatorAction } from '@tidegate/database/operator-action';
import type { Clock } from '@tidegate/service-host/clock';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Kysely } from 'kysely';
import { invalidReply, problemReply } from '../problem-reply.js';
import { hintsWaiting } from '../stripe-event/stripe-event.store.js';
import type { WebhooksTables } from '../tables.js';
import { standingAt } from './standing.decide.js';
import type { SweepSettings } from './sweep.loop.js';
import { findOrder, insertOrder, latestOrders, readCursor, type SweepOrder } from './sweep.store.js';
import { LISTED_SECONDS } from './window.decide.js';

export interface SweepRpcParts {
  db: Kysely<WebhooksTables>;
  clock: Clock;
  logger: Logger;
  settings: SweepSettings;
  /** A sweep waits to be run. */
  ordered(): void;
}

const SHOWN = 20;

/** `webhooks.rpc.operator_sweep.status.v1`: 200 with how far Stripe's list has been read. */
export async function answerSweepStatus({ db, clock, settings }: SweepRpcParts): Promise<HttpReply> {
  const now = clock.now();
  const cursor = await readCursor(db, now);
  const standing = standingAt(cursor, now, settings.alarmSeconds);
  const view: SweepStatusView = {
    object: 'webhook_sweeps',
    swept_until: cursor.sweptUntil.toISOString(),
    last_sweep_at: cursor.sweptAt.getTime() === 0 ? null : cursor.sweptAt.toISOString(),
    every_seconds: settings.everySeconds,
    behind_seconds: Math.floor(standing.behindSeconds),
    alarm_seconds: settings.alarmSeconds,
    overdue: standing.overdue,
    runway_seconds: Math.floor(standing.runwaySeconds),
    unlisted_seconds: standing.unlistedSeconds,
    hints_waiting: await hintsWaiting(db),
    ordered: (await latestOrders(db, SHOWN)).map(viewOf),
  };
  return jsonReply(200, view);
}

/** `webhooks.rpc.operator_sweep.get.v1`: 200 with one that was ordered, or 404. */
export async function answerSweepGet({ db }: SweepRpcParts, raw: unknown): Promise<HttpReply> {
  const request = RouteRequest.parse(raw);
  const order = await findOrder(db, request.params['id'] ?? '');
  return order ? jsonReply(200, viewOf(order)) : problemReply(request, 'not_found', 'There is no such sweep');
}

/** `webhooks.rpc.operator_sweep.order.v1`: 200 with the sweep that is run as soon as Stripe answers; 400. It ends where regular ones do: what is younger may be under way. */
export async function answerSweepOrder({ db, clock, logger, settings, ordered }: SweepRpcParts, raw: unknown): Promise<HttpReply> {
  const request = RouteRequest.parse(raw);
  const body = OrderSweepBody.safeParse(request.body);
  if (!body.success) return invalidReply(request, body.error);
  const { since, reason } = body.data;
  const now = clock.now();
  const { sweptUntil } = await readCursor(db, now);
  const wanted = since === undefined ? sweptUntil.getTime() - settings.overlapSeconds * 1000 : Date.parse(since);
  const until = new Date(now.getTime() - settings.settleSeconds * 1000);
  const from = new Date(Math.min(until.getTime(), Math.max(wanted, now.getTime() - LISTED_SECONDS * 1000)));
  const order = { id: `swp_${randomBytes(16).toString('hex')}`, since: from, until, actor: request.actor, reason, ordered_at: now };
  const action: OperatorAction = {
    ...{ actor: request.actor, action: 'webhook_sweep.order', target: order.id, reason },
    details: { since: from.toISOString(), until: until.toISOString() },
  };
  await db.transaction().execute(async (tx) => {
    await insertOrder(tx, order);
    await recordOperatorAction(tx, action, now);
  });
  logger.warn({ event: 'operator_action', ...action }, "A sweep of Stripe's events was ordered");
  ordered();
  return answerSweepGet({ db, clock, logger, settings, ordered }, { ...request, params: { id: order.id } });
}

const viewOf = (order: SweepOrder): SweepView => ({
  id: order.id,
  object: 'webhook_sweep',
  status: order.finished_at ? 'completed' : 'running',
  since: order.since.toISOString(),
  until: order.until.toISOString(),
  swept_until: order.swept_until.toISOString(),
  found: order.found,
  missed: order.missed,
  actor: order.actor,
  reason: order.reason,
  ordered_at: order.ordered_at.toISOString(),
  finished_at: order.finished_at?.toISOString() ?? null,
});
