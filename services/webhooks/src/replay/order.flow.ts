import { createHash, randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { ReplayEventsBody, ReplayOrderView, WebhookEventFilter } from '@tidegate/contracts/ops/webhook-events';
import type { RouteRequest } from '@tidegate/contracts/rpc/routes';
import { type OperatorAction, recordOperatorAction } from '@tidegate/database/operator-action';
import type { Clock } from '@tidegate/service-host/clock';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Kysely } from 'kysely';
import type { WebhooksTables } from '../tables.js';
import { type Preview, preview, unknownIds } from './preview.store.js';
import { filterOf, findReplay, insertReplay, type ReplayJob } from './replay.store.js';

export interface OrderParts {
  db: Kysely<WebhooksTables>;
  clock: Clock;
  logger: Logger;
  /** A replay runs from now on. */
  ordered(): void;
}

/** Who asks; `tenant` null: an operator, over all tenants. */
export interface OrderedBy {
  id: string;
  tenant: string | null;
  actor: string;
}

/** The same for the same Idempotency-Key, so that a request whose answer was lost orders nothing twice. */
export function replayIdOf({ tenant, route, idempotency_key }: RouteRequest): string {
  if (idempotency_key === null) return `rpl_${randomBytes(16).toString('hex')}`;
  const key = createHash('sha256').update(JSON.stringify([tenant, route, idempotency_key]));
  return `rpl_${key.digest('hex').slice(0, 32)}`;
}

/**
 * Says what a replay would take and, unless it is a dry run, orders it: the order, with who and why, is one transaction. `mismatch`: the key of the request stands
 * for another order.
 */
export async function orderReplay(parts: OrderParts, by: OrderedBy, body: ReplayEventsBody): Promise<ReplayOrderView | 'mismatch'> {
  const { filter, reason, dry_run = false } = body;
  const found = await preview(parts.db, filterOf({ filter, tenant: by.tenant }));
  const not_found = filter.ids ? await unknownIds(parts.db, filter.ids, by.tenant) : [];
  const job = dry_run ? null : await placeOrder(parts, by, { filter, reason, found });
  if (job && !(isDeepStrictEqual(job.filter, filter) && job.reason === reason)) return 'mismatch';
  return {
    object: 'webhook_replay_order',
    dry_run,
    ...found,
    queued: job?.matched ?? 0,
    job: job?.id ?? null,
    not_found,
  };
}

/** The replay of this id, which may have been ordered by an earlier request; null when there is nothing to replay. */
async function placeOrder(
  { db, clock, logger, ordered }: OrderParts,
  { id, tenant, actor }: OrderedBy,
  { filter, reason, found }: { filter: WebhookEventFilter; reason: string; found: Preview },
): Promise<ReplayJob | null> {
  if (found.matched === 0) return findReplay(db, id);
  const { matched, more } = found;
  const action: OperatorAction = { actor, action: 'webhook_replay.order', target: id, reason, details: { filter, tenant, matched } };
  const now = clock.now();
  const fresh = await db.transaction().execute(async (tx) => {
    const inserted = await insertReplay(tx, { id, tenant, filter, actor, reason, matched, more, ordered_at: now });
    if (inserted) await recordOperatorAction(tx, action, now);
    return inserted;
  });
  if (fresh) logger.warn({ event: 'operator_action', ...action }, 'A replay of webhook events was ordered');
  ordered();
  return findReplay(db, id);
}
