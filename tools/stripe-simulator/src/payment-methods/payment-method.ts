import { type Metadata } from '../schema/metadata-param.js';
import { type Stored } from '../store/collection.js';

export interface Card {
  readonly brand: string;
  readonly country: string;
  readonly exp_month: number;
  readonly exp_year: number;
  readonly fingerprint: string;
  readonly funding: string;
  readonly last4: string;
  readonly [attribute: string]: unknown;
}

export interface UsBankAccount {
  readonly account_holder_type: string;
  readonly account_type: string;
  readonly bank_name: string;
  readonly financial_connections_account: null;
  readonly fingerprint: string;
  readonly last4: string;
  readonly networks: object;
  readonly routing_number: string;
  readonly status_details: object;
}

export interface SepaDebit {
  readonly bank_code: string;
  readonly branch_code: string;
  readonly country: string;
  readonly fingerprint: string;
  readonly generated_from: object;
  readonly last4: string;
}

interface AnyPaymentMethod extends Stored {
  readonly object: 'payment_method';
  readonly allow_redisplay: string;
  readonly billing_details: object;
  readonly created: number;
  readonly customer: string | null;
  readonly customer_account: null;
  readonly livemode: false;
  readonly metadata: Metadata;
}

export type PaymentMethod = AnyPaymentMethod &
  (
    | { readonly type: 'card'; readonly card: Card }
    | { readonly type: 'us_bank_account'; readonly us_bank_account: UsBankAccount }
    | { readonly type: 'sepa_debit'; readonly sepa_debit: SepaDebit }
  );

export type MethodType = PaymentMethod['type'];

export const NO_BILLING_DETAILS = {
  address: { city: null, country: null, line1: null, line2: null, postal_code: null, state: null },
  email: null,
  name: null,
  phone: null,
  tax_id: null,
};
