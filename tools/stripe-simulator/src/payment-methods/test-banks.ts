import { type Behaviour } from './test-cards.js';

/** A bank account that Stripe's test mode knows. */
export interface TestBank {
  readonly type: 'us_bank_account' | 'sepa_debit';
  readonly last4: string;
  readonly behaviour: Debit;
}

type Debit = Extract<Behaviour, { kind: 'debit' }>;

const paid: Debit = { kind: 'debit', result: 'succeeds' };
const reversed = { kind: 'reversal', reason: 'debit_not_authorized' } as const;

function returned(code: string, message: string): Debit {
  return { kind: 'debit', result: 'fails', failure: { code, message } };
}

function us(last4: string, behaviour: Debit): TestBank {
  return { type: 'us_bank_account', last4, behaviour };
}

const NO_FUNDS = 'The customer’s account has insufficient funds to cover this payment.';

/** Stripe's verified US test bank accounts (https://docs.stripe.com/payments/ach-direct-debit#test-account-numbers). */
export const TEST_BANKS: Readonly<Record<string, TestBank>> = {
  pm_usBankAccount_success: us('6789', paid),
  pm_usBankAccount_accountClosed: us('1113', returned('account_closed', 'The customer’s bank account has been closed.')),
  pm_usBankAccount_noAccount: us('1116', returned('no_account', 'The customer’s bank account could not be located.')),
  pm_usBankAccount_insufficientFunds: us('2227', returned('insufficient_funds', NO_FUNDS)),
  pm_usBankAccount_debitNotAuthorized: us(
    '3335',
    returned('debit_not_authorized', 'The customer has notified their bank that this payment was unauthorized.'),
  ),
  pm_usBankAccount_dispute: us('5559', { ...paid, dispute: reversed }),
  pm_usBankAccount_processing: us('0009', { kind: 'debit', result: 'waits' }),
};

const refusedDebit = returned('generic_decline', 'The transaction can’t be processed because your customer’s bank refused it.');

/** Stripe's SEPA test accounts, by country and the last four digits; every other valid IBAN succeeds. */
const IBANS: Readonly<Record<string, Debit>> = {
  AT3201: paid,
  AT3202: refusedDebit,
  AT3203: { ...paid, dispute: reversed },
  AT3204: { ...paid, slow: true },
  AT3205: { ...refusedDebit, slow: true },
  /** What the CLI's fixture of `checkout.session.async_payment_failed` pays with. */
  IT3456: refusedDebit,
  DE3000: paid,
  DE3001: refusedDebit,
  DE3002: { ...paid, dispute: reversed },
  DE3003: { ...paid, slow: true },
  DE3004: { ...refusedDebit, slow: true },
};

/** What debiting an account does. */
export function behaviourOfIban(country: string, last4: string): Debit {
  return IBANS[country + last4] ?? paid;
}

export function testBank(id: string): TestBank | undefined {
  return Object.hasOwn(TEST_BANKS, id) ? TEST_BANKS[id] : undefined;
}
