import { type World } from '../world.js';
import { type Card, NO_BILLING_DETAILS, type PaymentMethod, type SepaDebit, type UsBankAccount } from './payment-method.js';
import { type TestBank, testBank } from './test-banks.js';
import { type TestCard, testCard } from './test-cards.js';

const EXPIRY_YEARS_AHEAD = 5;

/** A fresh payment method of a test id (`pm_card_visa`, `pm_usBankAccount_success`), if it is one. */
export function testMethod(world: World, name: string, id: string): PaymentMethod | undefined {
  const card = testCard(name);
  if (card !== undefined) return cardMethod(world, id, card);
  const bank = testBank(name);
  return bank && { ...common(world, id), type: 'us_bank_account', us_bank_account: accountOf(bank) };
}

export function cardMethod(world: World, id: string, card: TestCard): PaymentMethod {
  const year = new Date(world.clock.nowMs()).getUTCFullYear() + EXPIRY_YEARS_AHEAD;
  return { ...common(world, id), type: 'card', card: cardOf(card, year) };
}

export function sepaMethod(world: World, id: string, iban: string): PaymentMethod {
  const account: SepaDebit = {
    bank_code: iban.slice(4, 9),
    branch_code: '',
    country: iban.slice(0, 2),
    fingerprint: `sim${iban.slice(0, 2)}${iban.slice(-4)}sepa`,
    generated_from: { charge: null, setup_attempt: null },
    last4: iban.slice(-4),
  };
  return { ...common(world, id), type: 'sepa_debit', sepa_debit: account };
}

function common(world: World, id: string): Omit<PaymentMethod, 'type'> {
  return {
    id,
    object: 'payment_method',
    allow_redisplay: 'unspecified',
    billing_details: NO_BILLING_DETAILS,
    created: world.clock.nowSeconds(),
    customer: null,
    customer_account: null,
    livemode: false,
    metadata: {},
  };
}

function accountOf({ last4 }: TestBank): UsBankAccount {
  return {
    account_holder_type: 'individual',
    account_type: 'checking',
    bank_name: 'STRIPE TEST BANK',
    financial_connections_account: null,
    fingerprint: `sim${last4}usbank`,
    last4,
    networks: { preferred: 'ach', supported: ['ach'] },
    routing_number: '110000000',
    status_details: {},
  };
}

const cardsByYear = new Map<string, Card>();

/** Cards are the same for every holder of the same test id, so they are shared. */
function cardOf(card: TestCard, year: number): Card {
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
