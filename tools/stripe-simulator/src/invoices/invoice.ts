import { type Metadata } from '../schema/metadata-param.js';
import { type Stored } from '../store/collection.js';

export type InvoiceStatus = 'draft' | 'open' | 'paid' | 'uncollectible' | 'void';

export type BillingReason = 'manual' | 'subscription_create' | 'subscription_cycle' | 'subscription_update';

export type CollectionMethod = 'charge_automatically' | 'send_invoice';

export interface Pricing {
  readonly price_details: { readonly price: string; readonly product: string };
  readonly type: 'price_details';
  readonly unit_amount_decimal: string | null;
}

export interface Period {
  readonly end: number;
  readonly start: number;
}

/** A line of an invoice. */
export interface LineItem extends Stored {
  readonly object: 'line_item';
  readonly amount: number;
  readonly currency: string;
  readonly description: string | null;
  readonly discount_amounts: readonly object[];
  readonly discountable: boolean;
  readonly discounts: readonly string[];
  readonly invoice: string | null;
  readonly livemode: false;
  readonly metadata: Metadata;
  readonly parent: LineParent | null;
  readonly period: Period;
  readonly pretax_credit_amounts: readonly object[];
  readonly pricing: Pricing | null;
  readonly quantity: number | null;
  readonly quantity_decimal: string | null;
  readonly subscription: string | null;
  readonly subtotal: number;
  readonly taxes: readonly object[];
}

export type LineParent =
  | {
      readonly invoice_item_details: {
        readonly invoice_item: string;
        readonly proration: boolean;
        readonly proration_details: { readonly credited_items: null } | null;
        readonly subscription: string | null;
      };
      readonly subscription_item_details: null;
      readonly type: 'invoice_item_details';
    }
  | {
      readonly invoice_item_details: null;
      readonly subscription_item_details: {
        readonly invoice_item: null;
        readonly proration: false;
        readonly proration_details: null;
        readonly subscription: string;
        readonly subscription_item: string;
      };
      readonly type: 'subscription_item_details';
    };

export interface Invoice extends Stored {
  readonly object: 'invoice';
  readonly amount_due: number;
  readonly amount_paid: number;
  readonly amount_remaining: number;
  readonly attempt_count: number;
  readonly attempted: boolean;
  readonly auto_advance: boolean;
  readonly automatically_finalizes_at: number | null;
  readonly billing_reason: BillingReason;
  readonly collection_method: CollectionMethod;
  readonly created: number;
  readonly currency: string;
  readonly customer: string;
  readonly default_payment_method: string | null;
  readonly description: string | null;
  readonly due_date: number | null;
  readonly effective_at: number | null;
  readonly ending_balance: number | null;
  readonly footer: string | null;
  readonly hosted_invoice_url: string | null;
  readonly lines: { readonly object: 'list'; readonly data: readonly LineItem[]; readonly has_more: boolean; readonly url: string };
  readonly metadata: Metadata;
  readonly next_payment_attempt: number | null;
  readonly number: string | null;
  readonly parent: InvoiceParent | null;
  readonly period_end: number;
  readonly period_start: number;
  readonly starting_balance: number;
  readonly statement_descriptor: string | null;
  readonly status: InvoiceStatus;
  readonly status_transitions: {
    readonly finalized_at: number | null;
    readonly marked_uncollectible_at: number | null;
    readonly paid_at: number | null;
    readonly voided_at: number | null;
  };
  readonly subtotal: number;
  readonly total: number;
  readonly [attribute: string]: unknown;
}

export interface InvoiceParent {
  readonly quote_details: null;
  readonly subscription_details: { readonly metadata: Metadata; readonly subscription: string };
  readonly type: 'subscription_details';
}

/** The subscription that an invoice bills, if any. */
export function subscriptionOf(invoice: Invoice): string | undefined {
  return invoice.parent?.subscription_details.subscription;
}
