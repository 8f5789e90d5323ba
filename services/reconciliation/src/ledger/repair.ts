import { inTransaction } from '@tidegate/database/transaction';
import { recordOperatorAction } from '@tidegate/database/operator-action';
import type { Failpoints } from '@tidegate/database/failpoints';
import { requestReplay } from '@tidegate/messaging/replay/replay.store';
import type { Clock } from '@tidegate/service-host/clock';
import type { StripePort } from '@tidegate/stripe-gateway/port';
import type { Logger } from '@tidegate/telemetry/logger';
import { v7 as uuidv7 } from 'uuid';
import { type Patience, readPatiently } from '../compare/patient-stripe.js';
import type { Imbalance } from './check.decide.js';
import { type AttributionParts, recordFees, unrecorded } from './record-movements.js';

export interface LedgerRepairParts extends AttributionParts {
  stripe: Pick<StripePort, 'retrieveIntent' | 'listBalanceTransactions'>;
  failpoints: Failpoints;
  clock: Clock;
  logger: Logger;
  /** The outbox has rows. */
  staged(): void;
}

/** Who wants it, and why; kept with what is done. */
export interface RepairCause {
  actor: string;
  reason: string;
}

/** Of the two repairs that the ledger can do itself. Doing one again does no harm. Throws StripeUnanswered. */
export async function repairLedger(parts: LedgerRepairParts, found: Imbalance, cause: RepairCause, patience: Patience): Promise<boolean> {
  switch (found.repair) {
    case 'record_fee':
      return recordFee(parts, found, cause, patience);
    case 'replay_ledger':
      return replayLedger(parts, cause);
    default:
      return false;
  }
}

const PAGE = 100;
const DURABLE = 'reconciliation-payments';

/** Reads the second that the balance transaction was made in, because Stripe lists it and gives it out under no other parameter of the port. */
async function recordFee(
  parts: LedgerRepairParts,
  { stripe_id: id, made_at }: Imbalance,
  cause: RepairCause,
  patience: Patience,
): Promise<boolean> {
  const second = Math.floor(made_at.getTime() / 1000);
  for (let place: { starting_after?: string } = {}; ;) {
    const query = { limit: PAGE, created: { gte: second, lte: second }, ...place };
    const page = await readPatiently(() => parts.stripe.listBalanceTransactions(query), patience);
    const movement = page?.data.find((one) => one.id === id);
    if (movement) return recordWith(parts, await unrecorded(parts, [movement], patience), cause);
    const last = page?.data.at(-1);
    if (!page?.has_more || !last) return false;
    place = { starting_after: last.id };
  }
}

async function recordWith(
  parts: LedgerRepairParts,
  events: Awaited<ReturnType<typeof unrecorded>>,
  { actor, reason }: RepairCause,
): Promise<boolean> {
  const at = parts.clock.now();
  const action = 'ledger.record_fee';
  await inTransaction(parts, 'reconciliation.balance.record', async (tx) => {
    if ((await recordFees(tx, events, at)) === 0) return;
    for (const { data } of events) await recordOperatorAction(tx, { actor, action, target: data.balance_transaction, reason }, at);
  });
  parts.staged();
  parts.logger.warn({ event: 'operator_action', actor, action, reason }, 'A balance transaction that was missed was posted');
  return true;
}

/** Has the whole projection made anew and swapped in, as `tidegate events replay` does; one that is under way already does for this, too. */
async function replayLedger({ db, clock, logger }: LedgerRepairParts, { actor, reason }: RepairCause): Promise<boolean> {
  const [id, at, action] = [uuidv7(), clock.now(), 'event_replay.start'];
  const wish = { id, consumer: DURABLE, projection: DURABLE, from_time: null, from_position: null, requested_at: at };
  const isNew = await db.transaction().execute(async (tx) => {
    const other = await requestReplay(tx, { ...wish, actor, reason, swap_actor: actor, swap_reason: reason });
    if (other === null) await recordOperatorAction(tx, { actor, action, target: DURABLE, reason, details: { id } }, at);
    return other === null;
  });
  if (isNew) logger.warn({ event: 'operator_action', actor, action, reason, consumer: DURABLE }, 'The ledger is made anew from its events');
  return true;
}
