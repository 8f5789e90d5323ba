import { settle } from '../charges/settle.js';
import { recordCharge } from '../charges/record.js';
import { AUTOMATIC, type Cause } from '../http/call.js';
import { type PaymentMethod } from '../payment-methods/payment-method.js';
import { type Behaviour } from '../payment-methods/test-cards.js';
import { behaviourOf } from '../payment-methods/use.js';
import { type World } from '../world.js';
import { applyOutcome } from './apply.js';
import { type PaymentIntent } from './payment-intent.js';
import { saveForLater } from './save-method.js';

export const FINISH_DEBIT = 'payment_intent.finish_debit';
export const FAIL_DEBIT = 'payment_intent.fail_debit';

const SLOW_FACTOR = 60;

type Debit = Extract<Behaviour, { kind: 'debit' }>;

/** Hands a debit to the bank: the answer comes later. */
export function startDebit(
  world: World,
  intent: PaymentIntent,
  method: PaymentMethod,
  mandate: string | undefined,
  cause: Cause,
): PaymentIntent {
  const behaviour = behaviourOf(method) as Debit;
  const charge = recordCharge(world, intent, method, { pending: true, mandate });
  const late = world.faults.takeLate('late_failure', cause.operation ?? 'POST /v1/payment_intents');
  const delay = late?.ms ?? world.settings.debitDelayMs * (behaviour.slow ? SLOW_FACTOR : 1);
  const kind = late !== undefined ? FAIL_DEBIT : FINISH_DEBIT;
  if (late !== undefined || behaviour.result !== 'waits') world.scheduler.schedule(delay, { kind, id: intent.id });
  const processing = applyOutcome(world, 'processing', { ...intent, latest_charge: charge.id, next_action: null }, cause);
  saveForLater(world, processing, method, cause);
  return processing;
}

/** The bank's answer to a debit, as the test account has it. */
export function finishDebit(world: World, id: string): void {
  const intent = world.paymentIntents.get(id);
  const method = world.paymentMethods.get(intent?.payment_method ?? '');
  if (intent?.status !== 'processing' || method === undefined) return;
  const behaviour = behaviourOf(method);
  if (behaviour.kind === 'debit' && behaviour.result === 'fails') failDebit(world, id);
  else succeed(world, intent);
}

/** The bank refuses the debit, days after it was sent. */
export function failDebit(world: World, id: string): void {
  const intent = world.paymentIntents.get(id);
  const method = world.paymentMethods.get(intent?.payment_method ?? '');
  const charge = world.charges.get(intent?.latest_charge ?? '');
  if (intent?.status !== 'processing' || method === undefined || charge === undefined) return;
  const behaviour = behaviourOf(method);
  const { code, message } = (behaviour.kind === 'debit' ? behaviour.failure : undefined) ?? INSUFFICIENT;
  world.charges.replace({
    ...charge,
    status: 'failed',
    captured: false,
    amount_captured: 0,
    failure_code: code,
    failure_message: message,
    outcome: { ...charge.outcome, network_status: 'declined_by_network', reason: code, seller_message: message, type: 'issuer_declined' },
  });
  const error = { type: 'card_error', ...coded(code), message, charge: charge.id, payment_method: method };
  applyOutcome(world, 'debit_failed', { ...intent, payment_method: null, last_payment_error: error }, AUTOMATIC);
}

function succeed(world: World, intent: PaymentIntent): void {
  const pending = world.charges.get(intent.latest_charge ?? '');
  if (pending === undefined) return;
  const receipt = `${world.baseUrl}/__receipts/${pending.id}`;
  const charge = world.charges.replace({ ...pending, status: 'succeeded', paid: true, receipt_url: receipt });
  settle(world, charge, intent.capture_method, AUTOMATIC);
  applyOutcome(world, 'succeeded', { ...intent, amount_received: intent.amount }, AUTOMATIC);
}

const INSUFFICIENT = { code: 'insufficient_funds', message: 'The customer’s account has insufficient funds to cover this payment.' };

/** `generic_decline` is a decline code of a card-like refusal, not an error code. */
function coded(code: string): { code: string; decline_code?: string } {
  return code === 'generic_decline' ? { code: 'payment_method_provider_decline', decline_code: code } : { code };
}
