import { noSuch, refused } from '../http/errors.js';
import { type World } from '../world.js';
import { NO_BILLING_DETAILS, type PaymentMethod } from './payment-method.js';
import { type Behaviour, TEST_CARDS, type TestCard, testCard } from './test-cards.js';

const EXPIRY_YEARS_AHEAD = 5;

/** The payment method behind an id. A test id (`pm_card_visa`) becomes a fresh object of its own, as at Stripe. */
export function usablePaymentMethod(world: World, id: string, customer?: string): PaymentMethod {
  const card = testCard(id);
  if (card !== undefined) return world.paymentMethods.insert(newPaymentMethod(world, world.ids.next('pm'), card));
  const method = world.paymentMethods.get(id);
  if (method === undefined) throw noSuch('PaymentMethod', id, 'payment_method');
  if (method.customer !== null && method.customer !== customer) {
    throw refused(
      'The payment method you provided is attached to a customer so for security purposes you must provide the customer in the request.',
      undefined,
      { param: 'payment_method' },
    );
  }
  return method;
}

export function newPaymentMethod(world: World, id: string, card: TestCard): PaymentMethod {
  const nowSeconds = world.clock.nowSeconds();
  return {
    id,
    object: 'payment_method',
    allow_redisplay: 'unspecified',
    billing_details: NO_BILLING_DETAILS,
    card: cardOf(card, new Date(nowSeconds * 1000).getUTCFullYear() + EXPIRY_YEARS_AHEAD),
    created: nowSeconds,
    customer: null,
    customer_account: null,
    livemode: false,
    metadata: {},
    type: 'card',
  };
}

/** What charging this method does, recognised by the card's last four digits. */
export function behaviourOf(method: PaymentMethod): Behaviour {
  return BEHAVIOUR_BY_LAST4.get(method.card.last4) ?? { kind: 'success' };
}

const BEHAVIOUR_BY_LAST4 = new Map(Object.values(TEST_CARDS).map(({ last4, behaviour }) => [last4, behaviour]));

const cardsByYear = new Map<string, PaymentMethod['card']>();

/** Cards are the same for every holder of the same test id, so they are shared. */
function cardOf(card: TestCard, year: number): PaymentMethod['card'] {
  const key = `${card.brand}${card.last4}${card.funding}${year}`;
  const known = cardsByYear.get(key);
  if (known !== undefined) return known;
  const made = {
    brand: card.brand,
    checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
    country: 'US',
    display_brand: card.brand,
    exp_month: 12,
    exp_year: year,
    fingerprint: `sim${card.last4}${card.brand}`,
    funding: card.funding,
    generated_from: null,
    last4: card.last4,
    networks: { available: [card.brand], preferred: null },
    regulated_status: 'unregulated',
    three_d_secure_usage: { supported: true },
    wallet: null,
  };
  cardsByYear.set(key, made);
  return made;
}
