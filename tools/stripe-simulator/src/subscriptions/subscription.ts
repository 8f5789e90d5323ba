import { type CollectionMethod } from '../invoices/invoice.js';
import { type Price } from '../prices/price.js';
import { type Metadata } from '../schema/metadata-param.js';
import { type Stored } from '../store/collection.js';

export type SubscriptionStatus =
  'trialing' | 'active' | 'incomplete' | 'incomplete_expired' | 'past_due' | 'unpaid' | 'canceled' | 'paused';

export interface SubscriptionItem extends Stored {
  readonly object: 'subscription_item';
  readonly billing_thresholds: null;
  readonly created: number;
  readonly current_period_end: number;
  readonly current_period_start: number;
  readonly current_trial: null;
  readonly discounts: readonly string[];
  readonly metadata: Metadata;
  readonly plan: object;
  readonly price: Price;
  /** Metered prices have none. */
  readonly quantity?: number;
  readonly subscription: string;
  readonly tax_rates: readonly object[];
}

export interface CancellationDetails {
  readonly comment: string | null;
  readonly feedback: string | null;
  readonly feedback_option: null;
  readonly reason: 'cancellation_requested' | 'payment_disputed' | 'payment_failed' | null;
}

export interface Subscription extends Stored {
  readonly object: 'subscription';
  readonly billing_cycle_anchor: number;
  readonly cancel_at: number | null;
  readonly cancel_at_period_end: boolean;
  readonly canceled_at: number | null;
  readonly cancellation_details: CancellationDetails;
  readonly collection_method: CollectionMethod;
  readonly created: number;
  readonly currency: string;
  readonly customer: string;
  readonly days_until_due: number | null;
  readonly default_payment_method: string | null;
  readonly description: string | null;
  readonly ended_at: number | null;
  readonly items: {
    readonly object: 'list';
    readonly data: readonly SubscriptionItem[];
    readonly has_more: false;
    readonly total_count?: never;
    readonly url: string;
  };
  readonly latest_invoice: string | null;
  readonly metadata: Metadata;
  readonly pause_collection: {
    readonly behavior: 'keep_as_draft' | 'mark_uncollectible' | 'void';
    readonly resumes_at: number | null;
  } | null;
  readonly payment_settings: object;
  readonly pending_setup_intent: string | null;
  readonly start_date: number;
  readonly status: SubscriptionStatus;
  readonly trial_end: number | null;
  readonly trial_settings: {
    readonly end_behavior: { readonly billing_cycle_anchor: null; readonly missing_payment_method: TrialEndBehaviour };
  };
  readonly trial_start: number | null;
  readonly [attribute: string]: unknown;
}

/** What becomes of a subscription whose trial ends without a payment method. */
export type TrialEndBehaviour = 'cancel' | 'create_invoice' | 'pause';

/** The period that is running; all items share it. */
export function periodOf(subscription: Subscription): { readonly start: number; readonly end: number } {
  const [item] = subscription.items.data;
  if (item === undefined) throw new Error(`Bug: ${subscription.id} has no items`);
  return { start: item.current_period_start, end: item.current_period_end };
}
