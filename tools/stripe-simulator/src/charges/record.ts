import { type PaymentIntent } from '../payment-intents/payment-intent.js';
import { type PaymentMethod } from '../payment-methods/payment-method.js';
import { type Behaviour } from '../payment-methods/test-cards.js';
import { type World } from '../world.js';
import { type Charge } from './charge.js';

type Decline = Extract<Behaviour, { kind: 'decline' }>;
type Attempt = { readonly captured: boolean } | { readonly decline: Decline };

/** Writes the charge of one attempt that reached the card network, good or declined. */
export function recordCharge(world: World, intent: PaymentIntent, method: PaymentMethod, attempt: Attempt): Charge {
  const decline = 'decline' in attempt ? attempt.decline : undefined;
  const captured = 'captured' in attempt && attempt.captured;
  const id = world.ids.next('ch');
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
    paid: decline === undefined,
    payment_intent: intent.id,
    payment_method: method.id,
    payment_method_details: { card: cardDetails(method, intent.amount), type: 'card' },
    receipt_email: intent.receipt_email,
    receipt_number: null,
    receipt_url: decline === undefined && captured ? `${world.baseUrl}/__receipts/${id}` : null,
    refunded: false,
    review: null,
    shipping: intent.shipping,
    source: null,
    source_transfer: null,
    statement_descriptor: intent.statement_descriptor,
    statement_descriptor_suffix: intent.statement_descriptor_suffix,
    status: decline === undefined ? 'succeeded' : 'failed',
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

function cardDetails({ card }: PaymentMethod, amount: number): object {
  const { brand, country, exp_month, exp_year, fingerprint, funding, last4 } = card;
  return {
    amount_authorized: amount,
    authorization_code: '123456',
    brand,
    checks: CHECKS,
    country,
    description: null,
    electronic_commerce_indicator: null,
    exp_month,
    exp_year,
    extended_authorization: DISABLED,
    fingerprint,
    funding,
    incremental_authorization: UNAVAILABLE,
    installments: null,
    last4,
    mandate: null,
    multicapture: UNAVAILABLE,
    network: brand,
    network_token: NO_TOKEN,
    network_transaction_id: null,
    overcapture: { maximum_amount_capturable: amount, status: 'unavailable' },
    regulated_status: 'unregulated',
    three_d_secure: null,
    transaction_link_id: null,
    wallet: null,
  };
}

const CHECKS = { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' };
const DISABLED = { status: 'disabled' };
const UNAVAILABLE = { status: 'unavailable' };
const NO_TOKEN = { used: false };
