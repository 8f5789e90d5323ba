import { recordOperatorAction } from '@tidegate/database/operator-action';
import type { Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import { findReplay, type ReplayRow, requestReplay } from '@tidegate/messaging/replay/replay.store';
import type { Clock } from '@tidegate/service-host/clock';
import type { StripePort } from '@tidegate/stripe-gateway/port';
import type { Logger } from '@tidegate/telemetry/logger';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { Finding } from '../compare/finding.js';
import { readPatiently } from '../compare/patient-stripe.js';
import type { Outcome } from '../run/progress.store.js';
import { compareMovement, remoteMovement } from './check.decide.js';
import { movementsOf, stillMisposted, stillUnbalanced } from './check.query.js';
import { feeStream } from './fee.events.js';
import { type AttributionParts, recordFees, type StripeOfAttribution, unrecorded } from './record-movements.js';

export interface LedgerRepairParts extends AttributionParts {
  stripe: StripeOfAttribution & Pick<StripePort, 'retrieveBalanceTransaction'>;
  failpoints: Failpoints;
  clock: Clock;
  logger: Logger;
  patienceMs: number;
  /** The outbox has rows. */
  staged(): void;
}

/** Who wants it, and why; kept with what is done. */
export interface RepairCause {
  actor: string;
  reason: string;
}

/** Puts right what can be put right in the ledger itself. Doing it again does no harm. */
export interface LedgerRepair {
  /** Records a balance transaction that the sweep has missed, and posts it. */
  recordFee(finding: Finding, cause: RepairCause): Promise<Outcome>;
  /** Has the ledger made anew from its events where these say otherwise, as `tidegate events replay` does. */
  replay(finding: Finding, cause: RepairCause): Promise<Outcome>;
}

const DURABLE = 'reconciliation-payments';
const DONE: Outcome = { applied: true, reason: null };
const not = (reason: string): Outcome => ({ applied: false, reason });

export function ledgerRepair(parts: LedgerRepairParts): LedgerRepair {
  return {
    async recordFee(finding, cause) {
      const { stripe_id: id } = finding;
      const patience = { patienceMs: parts.patienceMs, stopping: AbortSignal.timeout(parts.patienceMs * 2 + 1000), alive: () => undefined };
      const movement = id === null ? null : await readPatiently(() => parts.stripe.retrieveBalanceTransaction(id), patience);
      if (movement === null) return not('Stripe does not know it');
      const events = await unrecorded(parts, [movement], patience);
      if (events.length > 0) return recordWith(parts, events, cause);
      // The sweep, or another run, has come to it since it was missed.
      return (await saysTheSame(parts, finding)) ? DONE : replay(parts, cause);
    },
    async replay(finding, cause) {
      if (await isRightByNow(parts, finding)) return DONE;
      if (await saysTheSame(parts, finding)) return not('the events say what is posted');
      return replay(parts, cause);
    },
  };
}

async function recordWith(
  parts: LedgerRepairParts,
  events: Awaited<ReturnType<typeof unrecorded>>,
  { actor, reason }: RepairCause,
): Promise<Outcome> {
  const [at, action] = [parts.clock.now(), 'ledger.record_fee'];
  const recorded = await inTransaction(parts, 'reconciliation.balance.record', async (tx) => {
    const count = await recordFees(tx, events, at);
    if (count > 0)
      for (const { data } of events) await recordOperatorAction(tx, { actor, action, target: data.balance_transaction, reason }, at);
    return count;
  });
  parts.staged();
  if (recorded > 0)
    parts.logger.warn({ event: 'operator_action', actor, action, reason }, 'A balance transaction that was missed was posted');
  return DONE;
}

/** Whether what was found in the ledger is there no more: the next event, or a replay that another finding asked for, has put it right. */
async function isRightByNow({ db }: LedgerRepairParts, { object, stripe_id, payment_id }: Finding): Promise<boolean> {
  if (object === 'ledger_transaction') return (await stillUnbalanced(db, stripe_id ?? '')) === null;
  return object === 'ledger_payment' && (await stillMisposted(db, payment_id ?? '')) === null;
}

/** Of a balance transaction: whether its event is what is posted, so that a replay would change nothing. */
async function saysTheSame({ db }: LedgerRepairParts, { object, stripe_id: id }: Finding): Promise<boolean> {
  if (object !== 'balance_transaction' || id === null) return false;
  const [posted] = await movementsOf(db, [id]);
  const { rows } = await sql<{ data: Record<'net' | 'fee' | 'amount', number> & Record<'currency' | 'type', string> }>`
    SELECT data FROM events WHERE stream = ${feeStream(id)} AND version = 1`.execute(db);
  const event = rows[0]?.data;
  if (!posted || !event) return false;
  const told = {
    ...event,
    object: 'balance_transaction' as const,
    id,
    exchange_rate: null,
    reporting_category: '',
    source: null,
    created: 0,
  };
  return compareMovement(posted, remoteMovement(told)).kind === 'agrees';
}

/** One that is under way already does for this, too, when it replaces the whole ledger. */
async function replay({ db, clock, logger }: LedgerRepairParts, { actor, reason }: RepairCause): Promise<Outcome> {
  const [id, at, action] = [uuidv7(), clock.now(), 'event_replay.start'];
  const wish = { id, consumer: DURABLE, projection: DURABLE, from_time: null, from_position: null, requested_at: at };
  const other = await db.transaction().execute(async (tx) => {
    const underWay = await requestReplay(tx, { ...wish, actor, reason, swap_actor: actor, swap_reason: reason });
    if (underWay === null) await recordOperatorAction(tx, { actor, action, target: DURABLE, reason, details: { id } }, at);
    return underWay;
  });
  if (other !== null) return repairs(await findReplay(db, other)) ? DONE : not('a replay that does not replace the ledger is under way');
  logger.warn({ event: 'operator_action', actor, action, reason, consumer: DURABLE }, 'The ledger is made anew from its events');
  return DONE;
}

/** One that a person only compares with changes nothing, and one from a time on leaves alone what follows from our own events. */
function repairs(replay: ReplayRow | null): boolean {
  if (replay === null || replay.swap_actor === null || replay.from_time !== null || replay.from_position !== null) return false;
  return !GIVEN_UP.includes(replay.state);
}

const GIVEN_UP: readonly ReplayRow['state'][] = ['stopping', 'stopped', 'failed', 'expired'];
