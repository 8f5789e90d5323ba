import { type Period, type Pricing } from '../invoices/invoice.js';
import { type Metadata } from '../schema/metadata-param.js';
import { type Stored } from '../store/collection.js';

/** Something to be billed on the next, or on a given draft, invoice. */
export interface InvoiceItem extends Stored {
  readonly object: 'invoiceitem';
  readonly amount: number;
  readonly currency: string;
  readonly customer: string;
  readonly customer_account: null;
  readonly date: number;
  readonly description: string | null;
  readonly discountable: boolean;
  readonly discounts: readonly string[];
  readonly invoice: string | null;
  readonly livemode: false;
  readonly metadata: Metadata;
  readonly net_amount: number;
  readonly parent: {
    readonly subscription_details: { readonly subscription: string; readonly subscription_item?: string };
    readonly type: 'subscription_details';
  } | null;
  readonly period: Period;
  readonly pricing: Pricing | null;
  readonly proration: boolean;
  readonly quantity: number;
  readonly quantity_decimal: string;
  readonly tax_rates: readonly object[];
  readonly test_clock: null;
}
