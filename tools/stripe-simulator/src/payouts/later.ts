import { recordMovement } from '../balance-transactions/record.js';
import { AUTOMATIC, type Cause } from '../http/call.js';
import { type World } from '../world.js';
import { applyOutcome } from './apply.js';
import { type Payout } from './payout.js';
import { ALLOWED_FROM } from './transitions.js';

export const SEND_PAYOUT = 'payout.send';
export const PAYOUT_ARRIVES = 'payout.arrive';
export const FAIL_PAYOUT = 'payout.fail';

/** Plans the way of a payout: on its way after a while, paid on its arrival date. */
export function planJourney(world: World, { id, arrival_date: arrival }: Payout): void {
  world.scheduler.schedule(world.settings.payoutTransitSeconds * 1000, { kind: SEND_PAYOUT, id });
  world.scheduler.scheduleAt(arrival * 1000, { kind: PAYOUT_ARRIVES, id });
}

/** The payout leaves for the bank; from now on an automatic one can be reconciled. */
export function send(world: World, id: string, cause: Cause = AUTOMATIC): void {
  const payout = world.payouts.get(id);
  if (payout === undefined || !ALLOWED_FROM.send.includes(payout.status)) return;
  const sent = applyOutcome(world, 'sent', { ...payout, trace_id: { status: 'pending', value: null } }, cause);
  if (sent.automatic) applyOutcome(world, 'reconciled', { ...sent, reconciliation_status: 'completed' }, AUTOMATIC);
}

/** The money should be in the bank account. It can still come back: the fault `late_failure` makes it. */
export function arrive(world: World, id: string, cause: Cause = AUTOMATIC): void {
  send(world, id, cause);
  const payout = world.payouts.get(id);
  if (payout === undefined || !ALLOWED_FROM.arrive.includes(payout.status)) return;
  applyOutcome(world, 'paid', { ...payout, trace_id: { status: 'supported', value: payout.id.slice(-12) } }, cause);
  const late = world.faults.takeLate('late_failure', 'POST /v1/payouts');
  if (late !== undefined) world.scheduler.schedule(late.ms ?? 0, { kind: FAIL_PAYOUT, id });
}

/** The bank sends the money back, perhaps days after the payout showed paid. */
export function fail(world: World, id: string, cause: Cause = AUTOMATIC, code: keyof typeof FAILURES = 'account_closed'): void {
  const payout = world.payouts.get(id);
  if (payout === undefined || !ALLOWED_FROM.fail.includes(payout.status)) return;
  const returned = giveBack(world, payout, 'payout_failure');
  applyOutcome(
    world,
    'failed',
    { ...payout, failure_balance_transaction: returned, failure_code: code, failure_message: FAILURES[code] },
    cause,
  );
}

/** A payout that has not left yet is called off. */
export function cancel(world: World, payout: Payout, cause: Cause): Payout {
  const returned = giveBack(world, payout, 'payout_cancel');
  return applyOutcome(world, 'canceled', { ...payout, failure_balance_transaction: returned }, cause);
}

/** Why banks send payouts back (https://docs.stripe.com/api/payouts/failures). */
export const FAILURES = {
  account_closed: 'The bank account has been closed.',
  account_frozen: 'The bank account has been frozen.',
  could_not_process: 'The bank could not process this payout.',
  debit_not_authorized: 'Debit transactions are not approved on the bank account.',
  invalid_account_number: 'The routing number seems correct, but the account number is invalid.',
  no_account: 'The bank account details on file are probably incorrect. No bank account could be located with those details.',
} as const;

function giveBack(world: World, payout: Payout, type: 'payout_failure' | 'payout_cancel'): string {
  return recordMovement(world, {
    amount: payout.amount,
    currency: payout.currency,
    type,
    reportingCategory: type === 'payout_failure' ? 'payout_reversal' : 'payout_cancel',
    source: payout.id,
    description: type === 'payout_failure' ? 'PAYOUT FAILURE' : 'PAYOUT CANCEL',
    atOnce: true,
  }).id;
}
