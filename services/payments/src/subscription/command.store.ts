import { type Subscription } from '@tidegate/stripe-gateway/billing';
import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import { orphanCommandRefOf } from '../idempotency/identity.js';
import { type PaymentsTables } from '../tables.js';
import { oldestRestorePoint } from '../work/restores.store.js';
import { lookSooner, wishRefresh } from '../work/work.store.js';
import { type Command, made, type Step } from './command.decide.js';

type Db = Kysely<PaymentsTables>;

export async function findCommand(db: Db, id: string): Promise<Command | null> {
  const row = await db.selectFrom('subscription_commands').selectAll().where('id', '=', id).executeTakeFirst();
  return (row as Command | undefined) ?? null;
}

export async function findByCommandId(db: Db, commandId: string): Promise<Command | null> {
  const row = await db.selectFrom('subscription_commands').selectAll().where('command_id', '=', commandId).executeTakeFirst();
  return (row as Command | undefined) ?? null;
}

/** Another one that must end first is open: wait for it. */
export class AnotherIsOpen extends Error {}

/**
 * Notes a request. After a restore one that creates may be the repetition of one whose record is lost, long after Stripe has forgotten its key: it counts as called
 * without an answer, so that what it made is looked for first. What the others do is seen in the subscription itself.
 */
export async function addCommand(
  db: Db,
  {
    id,
    command_id,
    tenant,
    kind,
    subscription,
    request,
  }: Pick<Command, 'id' | 'command_id' | 'tenant' | 'kind' | 'subscription' | 'request'>,
  now: Date,
): Promise<void> {
  const isDoubtful = kind === 'create' && (await oldestRestorePoint(db)) !== null;
  const call_answer = isDoubtful ? 'missing' : 'awaited';
  const calling = { call_n: 1, call_since: now, call_answer, call_stored: false, absent_since: null } as const;
  const row = await db
    .insertInto('subscription_commands')
    .values({
      ...{ id, command_id, tenant, kind, subscription, ...calling, created_at: now },
      ...{ invoice: null, params: null as never, state: 'open', step: 'call', version: 1, request: JSON.stringify(request) },
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  if (!row) throw new AnotherIsOpen();
}

type Asked = Pick<Command, 'kind' | 'subscription' | 'request'>;

/**
 * Throws AnotherIsOpen while one is that says the contrary of whether the subscription ends with its period: carried out late, it would undo what was asked for after
 * it. Whoever cancels at once waits for nobody. The row of the subscription stays locked, so that of two that come together one sees the other.
 */
export async function waitItsTurn(tx: Transaction<PaymentsTables>, asked: Asked): Promise<void> {
  const contrary = contraryTo(asked);
  if (contrary === null) return;
  const { subscription } = asked;
  await sql`SELECT FROM subscriptions WHERE id = ${subscription} FOR NO KEY UPDATE`.execute(tx);
  const open = sql`SELECT FROM subscription_commands WHERE subscription = ${subscription} AND state = 'open' AND ${contrary} LIMIT 1`;
  const { rows } = await open.execute(tx);
  if (rows.length > 0) throw new AnotherIsOpen();
}

function contraryTo({ kind, request }: Asked): RawBuilder<boolean> | null {
  if (kind === 'change' && 'cancel_at_period_end' in request && request.cancel_at_period_end === false)
    return sql`kind = 'cancel' AND request->>'at_period_end' = 'true'`;
  if (kind === 'cancel' && 'at_period_end' in request && request.at_period_end)
    return sql`kind = 'change' AND request->>'cancel_at_period_end' = 'false'`;
  return null;
}

/** Somebody waits for the open commands of a subscription to end: whoever carries them on shall look now, at most once in 5 s. */
export async function hurryOpen(db: Kysely<PaymentsTables>, subscription: string | null, now: Date): Promise<void> {
  const open = await db
    .selectFrom('subscription_commands')
    .select('id')
    .where('subscription', '=', subscription)
    .where('kind', 'in', ['change', 'cancel'])
    .where('state', '=', 'open')
    .execute();
  for (const { id } of open) await lookSooner(db, id, now);
}

/** Whether somebody has asked to cancel it at once, and that is not done yet. */
export async function isCanceledNow(db: Db, subscription: string | null): Promise<boolean> {
  const open = await db
    .selectFrom('subscription_commands')
    .select('id')
    .where('subscription', '=', subscription)
    .where('kind', '=', 'cancel')
    .where('state', '=', 'open')
    .where(sql<boolean>`request->>'at_period_end' IS DISTINCT FROM 'true'`)
    .executeTakeFirst();
  return open !== undefined;
}

/** Changes a row from the version that was read; the row afterwards, or null when somebody else was faster. */
export async function advance(
  db: Db,
  { id, version }: Pick<Command, 'id' | 'version'>,
  { params, ...columns }: Step,
): Promise<Command | null> {
  const row = await db
    .updateTable('subscription_commands')
    .set({ ...columns, ...(params === undefined ? {} : { params: JSON.stringify(params) as never }), version: version + 1 })
    .where('id', '=', id)
    .where('version', '=', version)
    .returningAll()
    .executeTakeFirst();
  return (row as Command | undefined) ?? null;
}

const orphanCommandIdOf = (id: string): string => `cmd_${id}`;
/** It cancels a subscription that nobody was told of, and nobody waits for its answer. */
export const isOfOrphan = ({ id, command_id }: Pick<Command, 'id' | 'command_id'>): boolean => command_id === orphanCommandIdOf(id);

/** A subscription that a lost call made beside the one that was told of is canceled, by whoever comes to it. */
export async function cancelOrphan(db: Db, subscription: string, { tenant }: Pick<Command, 'tenant'>, now: Date): Promise<void> {
  const id = orphanCommandRefOf(subscription);
  try {
    await addCommand(db, { id, command_id: orphanCommandIdOf(id), tenant, kind: 'cancel', subscription, request: {} }, now);
  } catch (error) {
    if (error instanceof AnotherIsOpen) return;
    throw error;
  }
  await wishRefresh(db, id, now);
}

/**
 * A subscription at Stripe carries the id of a command of ours: what it means for that. One that made none yet, as far as it knows, has made this one: its answer is
 * under way, or lost. Any other is one too many.
 */
export async function noticeMade(
  db: Db,
  subscription: Pick<Subscription, 'id' | 'latest_invoice'>,
  commandId: string,
  now: Date,
): Promise<void> {
  for (;;) {
    const command = await findByCommandId(db, commandId);
    if (command?.kind !== 'create' || command.subscription === subscription.id) return;
    const isOpen = command.subscription === null && command.state === 'open';
    if (!isOpen) return cancelOrphan(db, subscription.id, command, now);
    if (await advance(db, command, made(subscription, now))) return;
  }
}
