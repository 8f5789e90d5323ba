import type { WebhookEventFilter, WebhookEventStatus } from '@tidegate/contracts/ops/webhook-events';
import { type Kysely, type Selectable, sql, type Transaction } from 'kysely';
import { type EventFilter, matching } from '../stripe-event/event-filter.js';
import type { EventKey } from '../stripe-event/stripe-event.store.js';
import type { ReplayJobsTable, WebhooksTables } from '../tables.js';

type Tx = Transaction<WebhooksTables>;
type Database = Kysely<WebhooksTables>;

export type ReplayJob = Omit<Selectable<ReplayJobsTable>, 'filter'> & { filter: WebhookEventFilter };

/** What a replay is ordered with. */
export type NewReplay = Pick<ReplayJob, 'id' | 'tenant' | 'filter' | 'actor' | 'reason' | 'matched' | 'more' | 'ordered_at'>;

/** False when one with this id has been ordered before. */
export async function insertReplay(tx: Tx, { filter, ...job }: NewReplay): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('replay_jobs')
    .values({ ...job, filter: JSON.stringify(filter) })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
}

export async function findReplay(db: Database, id: string): Promise<ReplayJob | null> {
  const row = await db.selectFrom('replay_jobs').selectAll().where('id', '=', id).executeTakeFirst();
  return (row as ReplayJob | undefined) ?? null;
}

/** Newest first; ties by id. */
export async function listReplays(db: Database, limit: number, after: { orderedAt: Date; id: string } | null): Promise<ReplayJob[]> {
  const all = db.selectFrom('replay_jobs').selectAll();
  const rest = after ? all.where(sql<boolean>`(ordered_at, id) < (${after.orderedAt}, ${after.id})`) : all;
  return (await rest.orderBy('ordered_at', 'desc').orderBy('id', 'desc').limit(limit).execute()) as ReplayJob[];
}

/** Who ordered a replay; operators are a tenant of their own. */
const orderer = sql<string>`coalesce(tenant, '')`;
export const ordererOf = ({ tenant }: Pick<ReplayJob, 'tenant'>): string => tenant ?? '';

/**
 * The replay whose turn it is, locked for the leader of `epoch`: what the tenant after `last` ordered first among those that run. Null when there is none, or a later
 * leader is at it.
 */
export async function runningReplay(tx: Tx, epoch: number, last: string): Promise<ReplayJob | null> {
  const row = await tx
    .selectFrom('replay_jobs')
    .selectAll()
    .where('status', '=', 'running')
    .orderBy(sql`${orderer} > ${last}`, 'desc')
    .orderBy(orderer)
    .orderBy('ordered_at')
    .orderBy('id')
    .limit(1)
    .forUpdate()
    .executeTakeFirst();
  return row && row.lease_epoch <= epoch ? (row as ReplayJob) : null;
}

/** Taken by a replay, and neither published since nor tried in vain: one that cannot be published, or waits for its customer, holds no replay up. */
const inHand = sql`(published_at IS NULL AND replay_job IS NOT NULL AND processing_outcome = 'received')`;

/**
 * Takes the next events of a replay: they wait to be published again from now on, whatever became of them before, and what a consumer failed at or parked is
 * forgotten. Events that another replay has in hand are left to it. Answers the events in order.
 */
export async function takeEvents(tx: Tx, job: ReplayJob, limit: number): Promise<EventKey[]> {
  const after = job.cursor_created === null ? sql`true` : sql`(created, stripe_event_id) > (${job.cursor_created}, ${job.cursor_id})`;
  const { rows } = await sql<EventKey>`
    WITH following AS (
      SELECT created, stripe_event_id FROM stripe_events
      WHERE ${matching(filterOf(job))} AND ${after} AND received_at <= ${job.as_of} AND NOT ${inHand}
      ORDER BY created, stripe_event_id LIMIT ${limit} FOR UPDATE
    ), forgotten AS (
      DELETE FROM stripe_event_outcomes AS o USING following AS f
      WHERE o.created = f.created AND o.stripe_event_id = f.stripe_event_id AND o.outcome IN ('failed', 'parked')
    )
    UPDATE stripe_events AS e
      SET published_at = NULL, retry_at = NULL, waits_for = NULL, processing_outcome = 'received', processing_error = NULL, replay_job = ${job.id}
      FROM following AS f WHERE e.created = f.created AND e.stripe_event_id = f.stripe_event_id
    RETURNING e.created, e.stripe_event_id`.execute(tx);
  return rows.sort((a, b) => a.created.getTime() - b.created.getTime() || (a.stripe_event_id < b.stripe_event_id ? -1 : 1));
}

/** Moves the cursor of a replay behind the events that were taken. */
export async function advanceReplay(tx: Tx, job: ReplayJob, taken: readonly EventKey[], epoch: number): Promise<void> {
  const last = taken.at(-1);
  await tx
    .updateTable('replay_jobs')
    .set((eb) => ({ taken: eb('taken', '+', taken.length), lease_epoch: epoch }))
    .$if(last !== undefined, (update) => update.set({ cursor_created: last!.created, cursor_id: last!.stripe_event_id }))
    .where('id', '=', job.id)
    .execute();
}

export async function setReplayStatus(
  tx: Tx,
  id: string,
  change: { from: ReplayJob['status']; to: ReplayJob['status']; finishedAt?: Date },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('replay_jobs')
    .set({ status: change.to, finished_at: change.finishedAt ?? null })
    .where('id', '=', id)
    .where('status', '=', change.from)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Whether a replay is under way, and then how many events that replays have taken wait to be published. */
export async function lookForReplays(db: Database): Promise<{ running: boolean; waiting: number }> {
  const { rows } = await sql<{ waiting: number }>`
    SELECT (SELECT count(*)::int FROM stripe_events WHERE ${inHand}) AS waiting FROM replay_jobs WHERE status = 'running' LIMIT 1`.execute(
    db,
  );
  return { running: rows.length > 0, waiting: rows[0]?.waiting ?? 0 };
}

/** Events that this replay has in hand. */
export async function waitingForReplay(db: Database, id: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::int AS count FROM stripe_events WHERE ${inHand} AND replay_job = ${id}`.execute(db);
  return rows[0]?.count ?? 0;
}

/** How the events stand that this replay was the last to take. */
export async function standing(db: Database, id: string): Promise<{ status: WebhookEventStatus; count: number }[]> {
  const { rows } = await sql<{ status: WebhookEventStatus; count: number }>`
    SELECT processing_outcome AS status, count(*)::int AS count FROM stripe_events WHERE replay_job = ${id} GROUP BY 1 ORDER BY 1`.execute(
    db,
  );
  return rows;
}

/** Replays that were ordered and have not come to their end, by status. */
export async function unfinishedReplays(db: Database): Promise<{ running: number; stopped: number }> {
  const { rows } = await sql<{ running: number; stopped: number }>`
    SELECT count(*) FILTER (WHERE status = 'running')::int AS running, count(*) FILTER (WHERE status = 'stopped')::int AS stopped
    FROM replay_jobs WHERE status <> 'completed'`.execute(db);
  return rows[0] ?? { running: 0, stopped: 0 };
}

/** A replay ordered by a tenant takes only that tenant's events, whatever else its filter says. */
export function filterOf({ filter, tenant }: Pick<ReplayJob, 'filter' | 'tenant'>): EventFilter {
  const { created_gte, created_lt, ...rest } = filter;
  return {
    ...rest,
    created_gte: created_gte === undefined ? undefined : new Date(created_gte),
    created_lt: created_lt === undefined ? undefined : new Date(created_lt),
    ...(tenant === null ? {} : { only: tenant }),
  };
}
