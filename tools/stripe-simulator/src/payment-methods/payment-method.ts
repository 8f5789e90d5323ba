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

export interface PaymentMethod extends Stored {
  readonly object: 'payment_method';
  readonly allow_redisplay: string;
  readonly billing_details: object;
  readonly card: Card;
  readonly created: number;
  readonly customer: string | null;
  readonly customer_account: null;
  readonly livemode: false;
  readonly metadata: Metadata;
  readonly type: 'card';
}

export const NO_BILLING_DETAILS = {
  address: { city: null, country: null, line1: null, line2: null, postal_code: null, state: null },
  email: null,
  name: null,
  phone: null,
  tax_id: null,
};
