import { type PaymentIntent } from '../payment-intents/payment-intent.js';
import { type PaymentMethod } from '../payment-methods/payment-method.js';
import { type Behaviour } from '../payment-methods/test-cards.js';
import { type World } from '../world.js';
import { type Charge } from './charge.js';
import { methodDetails } from './method-details.js';

type Decline = Extract<Behaviour, { kind: 'decline' }>;

/** How an attempt went: good (a held or taken amount), declined, or under way (bank debits). */
type Attempt =
  | { readonly captured: boolean; readonly authenticated?: boolean }
  | { readonly decline: Decline }
  | { readonly pending: true; readonly mandate: string | undefined };

/** Writes the charge of one attempt that reached the network. */
export function recordCharge(world: World, intent: PaymentIntent, method: PaymentMethod, attempt: Attempt): Charge {
  const decline = 'decline' in attempt ? attempt.decline : undefined;
  const pending = 'pending' in attempt;
  const captured = pending || ('captured' in attempt && attempt.captured);
  const id = world.ids.next(method.type === 'card' ? 'ch' : 'py');
  return world.charges.insert({
    id,
    object: 'charge',
    amount: intent.amount,
    amount_captured: captured ? intent.amount : 0,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: intent.application_fee_amount,
    balance_transaction: null,
    billing_details: method.billing_details,
    calculated_statement_descriptor: intent.statement_descriptor ?? 'SIMULATED',
    captured,
    created: world.clock.nowSeconds(),
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: decline?.code ?? null,
    failure_message: decline?.message ?? null,
    fraud_details: NONE,
    livemode: false,
    metadata: intent.metadata,
    on_behalf_of: null,
    outcome: decline === undefined ? AUTHORIZED : refusedOutcome(decline),
    paid: decline === undefined && !pending,
    payment_intent: intent.id,
    payment_method: method.id,
    payment_method_details: methodDetails(method, {
      amount: intent.amount,
      authenticated: 'authenticated' in attempt && attempt.authenticated === true,
      mandate: pending ? attempt.mandate : undefined,
    }),
    receipt_email: intent.receipt_email,
    receipt_number: null,
    receipt_url: decline === undefined && captured && !pending ? `${world.baseUrl}/__receipts/${id}` : null,
    refunded: false,
    review: null,
    shipping: intent.shipping,
    source: null,
    source_transfer: null,
    statement_descriptor: intent.statement_descriptor,
    statement_descriptor_suffix: intent.statement_descriptor_suffix,
    status: pending ? 'pending' : decline === undefined ? 'succeeded' : 'failed',
    transfer_data: null,
    transfer_group: intent.transfer_group,
  });
}

const NONE = {};

const AUTHORIZED = {
  advice_code: null,
  network_advice_code: null,
  network_decline_code: null,
  network_status: 'approved_by_network',
  reason: null,
  risk_level: 'normal',
  risk_score: 12,
  seller_message: 'Payment complete.',
  type: 'authorized',
};

function refusedOutcome(decline: Decline): object {
  return {
    advice_code: decline.blocked ? null : 'try_again_later',
    network_advice_code: null,
    network_decline_code: decline.blocked ? null : '01',
    network_status: decline.blocked ? 'not_sent_to_network' : 'declined_by_network',
    reason: decline.blocked ? 'highest_risk_level' : decline.declineCode,
    risk_level: decline.blocked ? 'highest' : 'normal',
    risk_score: decline.blocked ? 97 : 21,
    seller_message: decline.blocked
      ? 'Stripe blocked this payment as too risky.'
      : 'The bank did not return any further details with this decline.',
    type: decline.blocked ? 'blocked' : 'issuer_declined',
  };
}
