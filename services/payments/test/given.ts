/* Builders for specs: a payment's history in a few words. */
import { type Intent, type Refund as StripeRefund } from '@tidegate/stripe-gateway/intent';
import { type Occurred, type PaymentEvent, type Terms } from '../src/payment/payment.events.js';
import { replay } from '../src/payment/payment.evolve.js';
import { type Payment, type PaymentState } from '../src/payment/payment.state.js';

export const AT = '2026-11-21T06:00:00.000Z';
export const NOW = new Date('2026-11-21T06:00:05.000Z');
export const CREATE = 'cmd_create_00000000000000000000000000000000';

export const terms = (change: Partial<Terms> = {}): Terms => ({
  payment_id: 'pay_00000000000000000000000000000001',
  tenant: 'default',
  origin: 'api',
  livemode: false,
  amount: 4200,
  currency: 'usd',
  capture_method: 'automatic',
  customer: null,
  metadata: {},
  payment_method: 'pm_card_visa',
  not_after: '2026-11-21T07:00:00.000Z',
  ...change,
});

export const given = (...events: PaymentEvent[]): PaymentState => replay(events.map((event) => ({ ...event, at: AT }) as Occurred));
export const payment = (...events: PaymentEvent[]): Payment => given(...events) as Payment;

export const accepted = (change: Partial<Terms> = {}, queued = false): PaymentEvent[] => {
  const acceptance: PaymentEvent = { type: 'PaymentAccepted', data: { terms: terms(change), command_id: CREATE, queued } };
  return queued ? [acceptance] : [acceptance, submitted('intent')];
};
export const submitted = (step: 'intent' | 'confirm' | 'capture' | 'cancel', n = 1, command_id = CREATE): PaymentEvent => ({
  type: 'StepSubmitted',
  data: { command_id, step, n },
});
export const missing = (step: 'intent' | 'confirm' | 'capture' | 'cancel', stored = false, command_id = CREATE): PaymentEvent => ({
  type: 'AnswerMissing',
  data: { command_id, step, n: 1, cause: stored ? 'server_error' : 'timeout', stored },
});
export const opened = (change: Partial<Terms> = {}): PaymentEvent[] => [
  ...accepted(change),
  { type: 'IntentRecorded', data: { intent_id: 'pi_1' } },
  submitted('confirm'),
];
export const completed = (command_id = CREATE): PaymentEvent => ({ type: 'CommandCompleted', data: { command_id, rejection: null } });
export const declined = (mark = 'ch_0|ch_0|card_declined|'): PaymentEvent[] => [
  ...opened(),
  { type: 'PaymentDeclined', data: { failure: { code: 'card_declined', decline_code: null, message: 'no' }, mark } },
  completed(),
];
export const authorized = (amount_capturable = 4200): PaymentEvent[] => [
  ...opened({ capture_method: 'manual' }),
  { type: 'PaymentAuthorized', data: { amount_capturable, charge: 'ch_1', card: null } },
  completed(),
];
export const succeeded = (amount_captured = 4200): PaymentEvent[] => [
  ...opened(),
  { type: 'PaymentSucceeded', data: { amount_captured, charge: 'ch_1', card: { brand: 'visa', last4: '4242' } } },
  completed(),
];
export const refunding = (refund_id: string, amount: number): PaymentEvent => ({
  type: 'RefundRequested',
  data: { refund_id, command_id: `cmd_${refund_id}`, amount, reason: null },
});

export const intent = (change: Partial<Intent> = {}): Intent => ({
  object: 'payment_intent',
  id: 'pi_1',
  status: 'requires_payment_method',
  amount: 4200,
  amount_received: 0,
  amount_capturable: 0,
  currency: 'usd',
  capture_method: 'automatic',
  client_secret: null,
  next_action: null,
  latest_charge: null,
  card: null,
  disputed: null,
  paid_at: null,
  last_payment_error: null,
  cancellation_reason: null,
  customer: null,
  metadata: {},
  created: 1_795_000_000,
  livemode: false,
  ...change,
});

export const stripeRefund = (change: Partial<StripeRefund> = {}): StripeRefund => ({
  object: 'refund',
  id: 're_1',
  payment_intent: 'pi_1',
  charge: 'ch_1',
  status: 'succeeded',
  amount: 1000,
  currency: 'usd',
  reason: null,
  failure_reason: null,
  balance_transaction: 'txn_1',
  metadata: {},
  created: 1_795_000_000,
  ...change,
});

export const paidIntent = (change: Partial<Intent> = {}): Intent =>
  intent({ status: 'succeeded', amount_received: 4200, latest_charge: 'ch_1', card: { brand: 'visa', last4: '4242' }, ...change });
export const declinedIntent = (charge = 'ch_1'): Intent =>
  intent({
    latest_charge: charge,
    last_payment_error: { code: 'card_declined', decline_code: 'lost_card', message: 'no', charge, payment_method: null },
  });
