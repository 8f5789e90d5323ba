import { type Charge, refundable } from '../charges/charge.js';
import { chargeById } from '../charges/routes.js';
import { closeInquiries, mustBeRefundable } from '../disputes/after-refund.js';
import { type Call, type Cause } from '../http/call.js';
import { invalidParam, refused } from '../http/errors.js';
import { checkedStep } from '../money/amounts.js';
import { formatAmount } from '../money/currencies.js';
import { intentById } from '../payment-intents/find.js';
import { type Behaviour } from '../payment-methods/test-cards.js';
import { behaviourOf } from '../payment-methods/use.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { type World } from '../world.js';
import { applyOutcome } from './apply.js';
import { FAIL_REFUND, SUCCEED_REFUND } from './later.js';
import { recordRefundBalance } from './movements.js';
import { type RefundRequest, newRefund } from './new.js';
import { type Refund } from './refund.js';

/** `POST /v1/refunds` by `payment_intent` or `charge`. */
export function createRefund(world: World, { params, cause }: Call): Refund {
  const amount = params['amount'] as number | undefined;
  if (amount !== undefined && amount < 1) throw invalidParam('Invalid positive integer', 'amount', 'parameter_invalid_integer');
  const charge = chargeToRefund(world, params['charge'] as string | undefined, params['payment_intent'] as string | undefined);
  if (amount !== undefined) checkedStep(amount, charge.currency, 'amount');
  const reason = params['reason'] as string | undefined;
  const metadata = mergeMetadata({}, params['metadata'] as Metadata | null | undefined);
  return refundCharge(world, charge, { ...(amount !== undefined && { amount }), ...(reason !== undefined && { reason }), metadata }, cause);
}

/** Gives back a part or the whole rest of a charge. */
export function refundCharge(world: World, charge: Charge, request: RefundRequest, cause: Cause): Refund {
  mustBeRefundable(world, charge);
  const left = refundable(charge);
  if (left === 0) throw refused(`Charge ${charge.id} has already been refunded.`, 'charge_already_refunded');
  const amount = request.amount ?? left;
  if (amount > left) throw tooMuch(amount, left, charge);
  const behaviour = behaviourOfCharge(world, charge);
  const draft = newRefund(world, charge, amount, request);
  const refunded = charge.amount_refunded + amount;
  const after = world.charges.replace({ ...charge, amount_refunded: refunded, refunded: refunded === charge.amount });
  const refund = startsPending(behaviour)
    ? applyOutcome(world, 'created_pending', { ...draft, pending_reason: 'processing' }, cause)
    : applyOutcome(world, 'created', { ...draft, balance_transaction: recordRefundBalance(world, draft).id }, cause);
  closeInquiries(world, after, cause);
  planFuture(world, refund, behaviour, cause);
  return refund;
}

function chargeToRefund(world: World, chargeId: string | undefined, intentId: string | undefined): Charge {
  if (chargeId !== undefined) {
    const charge = chargeById(world, chargeId, 'charge');
    if (charge.status !== 'succeeded' || !charge.captured)
      throw refused(`Charge ${charge.id} was not captured, so it can't be refunded.`, undefined, { param: 'charge' });
    if (intentId !== undefined && charge.payment_intent !== intentId)
      throw invalidParam('The charge does not belong to the payment_intent.', 'charge');
    return charge;
  }
  if (intentId === undefined) {
    throw invalidParam(
      'One of the following params should be provided for this request: payment_intent or charge.',
      undefined,
      'parameter_missing',
    );
  }
  const intent = intentById(world, intentId, 'payment_intent');
  const charge = world.charges.get(intent.latest_charge ?? '');
  if (intent.status !== 'succeeded' || charge === undefined) {
    throw refused(`This PaymentIntent (${intent.id}) does not have a successful charge to refund.`, undefined, { param: 'payment_intent' });
  }
  return charge;
}

function behaviourOfCharge(world: World, charge: Charge): Behaviour {
  const method = world.paymentMethods.get(charge.payment_method);
  return method === undefined ? { kind: 'success' } : behaviourOf(method);
}

/** Banks take their time. */
function startsPending({ kind }: Behaviour): boolean {
  return kind === 'refund_pending' || kind === 'debit';
}

function planFuture(world: World, refund: Refund, behaviour: Behaviour, cause: Cause): void {
  const late = world.faults.takeLate('late_failure', cause.operation ?? 'POST /v1/refunds');
  const delay = late?.ms ?? world.settings.refundUpdateDelayMs;
  if (late !== undefined || behaviour.kind === 'refund_fails') world.scheduler.schedule(delay, { kind: FAIL_REFUND, id: refund.id });
  else if (startsPending(behaviour)) world.scheduler.schedule(delay, { kind: SUCCEED_REFUND, id: refund.id });
}

function tooMuch(amount: number, left: number, charge: Charge): Error {
  const shown = (value: number): string => formatAmount(value, charge.currency);
  return refused(`Refund amount (${shown(amount)}) is greater than unrefunded amount on charge (${shown(left)})`, undefined, {
    param: 'amount',
  });
}
