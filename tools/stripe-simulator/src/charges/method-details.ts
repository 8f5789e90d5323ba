import { type Card, type PaymentMethod } from '../payment-methods/payment-method.js';

export interface DetailsOf {
  /** Minor units. */
  readonly amount: number;
  /** Whether the holder passed a 3-D Secure challenge. */
  readonly authenticated: boolean;
  readonly mandate: string | undefined;
}

/** `payment_method_details` of a charge. */
export function methodDetails(method: PaymentMethod, how: DetailsOf): object {
  switch (method.type) {
    case 'card':
      return { card: cardDetails(method.card, how), type: 'card' };
    case 'us_bank_account': {
      const { account_holder_type, account_type, bank_name, fingerprint, last4, routing_number } = method.us_bank_account;
      const mandate = how.mandate === undefined ? {} : { mandate: how.mandate };
      const account = {
        account_holder_type,
        account_type,
        bank_name,
        fingerprint,
        last4,
        ...mandate,
        payment_reference: null,
        routing_number,
      };
      return { type: 'us_bank_account', us_bank_account: account };
    }
    case 'sepa_debit': {
      const { bank_code, branch_code, country, fingerprint, last4 } = method.sepa_debit;
      return { type: 'sepa_debit', sepa_debit: { bank_code, branch_code, country, fingerprint, last4, mandate: how.mandate ?? null } };
    }
  }
}

function cardDetails(card: Card, { amount, authenticated }: DetailsOf): object {
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
    three_d_secure: authenticated ? CHALLENGED : null,
    transaction_link_id: null,
    wallet: null,
  };
}

const CHECKS = { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' };
const DISABLED = { status: 'disabled' };
const UNAVAILABLE = { status: 'unavailable' };
const NO_TOKEN = { used: false };
const CHALLENGED = {
  authentication_flow: 'challenge',
  electronic_commerce_indicator: '05',
  exemption_indicator: null,
  result: 'authenticated',
  result_reason: null,
  transaction_id: null,
  version: '2.2.0',
};
