import { type Price } from '../prices/price.js';
import { type Metadata } from '../schema/metadata-param.js';
import { type Params } from '../schema/params.js';
import { type Stored } from '../store/collection.js';

export type SessionStatus = 'open' | 'complete' | 'expired';
export type SessionMode = 'payment' | 'subscription' | 'setup';

export interface CheckoutSession extends Stored {
  readonly object: 'checkout.session';
  readonly amount_total: number | null;
  readonly cancel_url: string | null;
  readonly client_reference_id: string | null;
  readonly created: number;
  readonly currency: string | null;
  readonly customer: string | null;
  readonly customer_creation: 'always' | 'if_required' | null;
  readonly customer_details: CustomerDetails | null;
  readonly customer_email: string | null;
  readonly expires_at: number;
  readonly invoice: string | null;
  readonly metadata: Metadata;
  readonly mode: SessionMode;
  readonly payment_intent: string | null;
  readonly payment_method_collection: 'always' | 'if_required' | null;
  readonly payment_status: 'paid' | 'unpaid' | 'no_payment_required';
  readonly return_url?: string;
  readonly setup_intent: string | null;
  readonly status: SessionStatus;
  readonly subscription: string | null;
  readonly success_url: string | null;
  readonly url: string | null;
  readonly [attribute: string]: unknown;
}

export interface CustomerDetails {
  readonly address: object | null;
  readonly business_name: string | null;
  readonly email: string | null;
  readonly individual_name: string | null;
  readonly name: string | null;
  readonly phone: string | null;
  readonly tax_exempt: string | null;
  readonly tax_ids: readonly object[] | null;
}

/** One thing that is bought. */
export interface CheckoutItem extends Stored {
  readonly object: 'item';
  readonly adjustable_quantity: object | null;
  readonly amount_discount: 0;
  readonly amount_subtotal: number;
  readonly amount_tax: 0;
  readonly amount_total: number;
  readonly currency: string;
  readonly description: string | null;
  readonly metadata: Metadata;
  readonly price: Price;
  readonly quantity: number | null;
}

/** What a session was asked to do, under the session's id; the API shows only the items, and those in a list of their own. */
export interface CheckoutOrder extends Stored {
  readonly items: readonly CheckoutItem[];
  readonly paymentIntentData: Params;
  readonly subscriptionData: Params;
  readonly setupIntentData: Params;
}
