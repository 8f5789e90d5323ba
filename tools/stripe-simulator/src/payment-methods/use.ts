import { noSuch, refused } from '../http/errors.js';
import { type World } from '../world.js';
import { testMethod } from './new.js';
import { type PaymentMethod } from './payment-method.js';
import { TEST_BANKS, behaviourOfIban } from './test-banks.js';
import { type Behaviour, TEST_CARDS } from './test-cards.js';

/** The payment method behind an id. A test id (`pm_card_visa`) becomes a fresh object of its own, as at Stripe. */
export function usablePaymentMethod(world: World, id: string, customer?: string): PaymentMethod {
  const fresh = /^(pm_card_|pm_usBankAccount_|tok_)/.test(id) ? testMethod(world, id, world.ids.next('pm')) : undefined;
  if (fresh !== undefined) return world.paymentMethods.insert(fresh);
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

/** What charging this method does, recognised by its last four digits. */
export function behaviourOf(method: PaymentMethod): Behaviour {
  switch (method.type) {
    case 'card':
      return CARDS_BY_LAST4.get(method.card.last4) ?? SUCCESS;
    case 'us_bank_account':
      return BANKS_BY_LAST4.get(method.us_bank_account.last4) ?? DEBIT;
    case 'sepa_debit':
      return behaviourOfIban(method.sepa_debit.country, method.sepa_debit.last4);
  }
}

const SUCCESS: Behaviour = { kind: 'success' };
const DEBIT: Behaviour = { kind: 'debit', result: 'succeeds' };
const CARDS_BY_LAST4 = new Map(Object.values(TEST_CARDS).map(({ last4, behaviour }) => [last4, behaviour]));
const BANKS_BY_LAST4 = new Map(Object.values(TEST_BANKS).map(({ last4, behaviour }) => [last4, behaviour]));
