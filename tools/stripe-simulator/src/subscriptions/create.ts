import { mustExistCustomer } from '../customers/find.js';
import { type Call, type Cause } from '../http/call.js';
import { StripeError, invalidParam, refused } from '../http/errors.js';
import { chargeInvoice } from '../invoices/collect.js';
import { finalizeInvoice } from '../invoices/finalize.js';
import { type CollectionMethod, type Invoice } from '../invoices/invoice.js';
import { mustBelong } from '../payment-methods/belongs.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { type Params } from '../schema/params.js';
import { type World } from '../world.js';
import { draftBill } from './bill.js';
import { mustBeChargeable } from './chargeable.js';
import { type Wanted, checkTogether, itemList, newItem, readItem } from './items.js';
import { NOTHING, NO_CANCELLATION } from './new-subscription.js';
import { pendingSetup } from './pending-setup.js';
import { nextBoundary } from './periods.js';
import { TRIAL_NOTICE_SECONDS, planNext } from './schedule.js';
import { type Subscription, type TrialEndBehaviour, periodOf } from './subscription.js';

const DAY_SECONDS = 86_400;

/** How the first invoice is paid. Checkout charges it itself. */
export type PaymentBehavior = 'allow_incomplete' | 'default_incomplete' | 'error_if_incomplete' | 'pending_if_incomplete';

/**
 * `POST /v1/subscriptions`. The first invoice is finalized in the request and, unless told otherwise, charged: the subscription is
 * active, trialing, or incomplete for up to 23 hours.
 */
export function createSubscription(world: World, { params, cause }: Call): Subscription {
  const behavior = (params['payment_behavior'] as PaymentBehavior | undefined) ?? 'allow_incomplete';
  if (behavior === 'pending_if_incomplete') {
    throw invalidParam('`pending_if_incomplete` can only be used when updating a subscription.', 'payment_behavior');
  }
  const wanted = ((params['items'] as Params[] | undefined) ?? []).map((one, at) => readItem(world, one, `items[${at}]`, cause));
  const draft = readSubscription(world, params, wanted);
  const trial = draft.trial_end !== null;
  const sent = draft.collection_method === 'send_invoice';
  const method = draft.default_payment_method ?? world.customers.get(draft.customer)?.invoice_settings.default_payment_method ?? null;
  const charged =
    !trial && !sent && behavior !== 'default_incomplete' && draft.items.data.some(({ price, quantity }) => isCharged(price, quantity));
  if (charged && method === null) throw refused(NO_METHOD, 'resource_missing');
  if (charged && behavior === 'error_if_incomplete') mustBeChargeable(world, method ?? '');
  let invoice = firstInvoice(world, draft, trial, cause);
  if (charged && invoice.status === 'open') invoice = attempt(world, invoice, method ?? '', cause);
  const status = trial ? 'trialing' : sent || invoice.status === 'paid' ? 'active' : 'incomplete';
  const setup = trial && !sent && method === null ? pendingSetup(world, draft, cause).id : null;
  return announce(world, { ...draft, status, latest_invoice: invoice.id, pending_setup_intent: setup }, cause);
}

/** The first invoice, finalized: the first period, or nothing during a trial. */
export function firstInvoice(world: World, draft: Subscription, trial: boolean, cause: Cause): Invoice {
  const bill = draftBill(world, draft, { reason: 'subscription_create', advance: 'at_once', ahead: periodOf(draft), trial }, cause);
  return finalizeInvoice(world, bill, cause);
}

/** Stores a subscription with its event and plans its future. */
export function announce(world: World, draft: Subscription, cause: Cause): Subscription {
  const subscription = world.subscriptions.insert(draft);
  world.events.emit('customer.subscription.created', subscription, cause);
  const noticed = subscription.trial_end !== null && subscription.trial_end - world.clock.nowSeconds() <= TRIAL_NOTICE_SECONDS;
  if (noticed) world.events.emit('customer.subscription.trial_will_end', subscription, cause);
  planNext(world, subscription);
  return subscription;
}

function attempt(world: World, invoice: Invoice, method: string, cause: Cause): Invoice {
  try {
    return chargeInvoice(world, invoice, method, cause);
  } catch (error) {
    if (error instanceof StripeError) return world.invoices.get(invoice.id) ?? invoice;
    throw error;
  }
}

function isCharged(price: Subscription['items']['data'][number]['price'], quantity: number | undefined): boolean {
  return quantity !== undefined && quantity > 0 && (price.billing_scheme === 'tiered' || Number(price.unit_amount_decimal) > 0);
}

/** The subscription of a request, not yet stored. */
export function readSubscription(world: World, params: Params, wanted: readonly Wanted[]): Subscription {
  const named = params['customer'] as string | undefined;
  if (named === undefined) throw invalidParam('Missing required param: customer.', 'customer', 'parameter_missing');
  const customer = mustExistCustomer(world, named);
  const method = params['default_payment_method'] as string | undefined;
  if (method !== undefined) mustBelong(world, method, customer.id, 'default_payment_method');
  const collection = (params['collection_method'] as CollectionMethod | undefined) ?? 'charge_automatically';
  const days = daysUntilDue(params, collection);
  const now = world.clock.nowSeconds();
  const trialEnd = trialEndOf(world, params);
  const cancelAt = params['cancel_at'] as number | undefined;
  if (cancelAt !== undefined && cancelAt <= now) throw invalidParam('`cancel_at` must be in the future.', 'cancel_at');
  const metadata = mergeMetadata({}, params['metadata'] as Metadata | null | undefined);
  const rhythm = checkTogether(wanted);
  const id = world.ids.next('sub');
  const anchor = trialEnd ?? now;
  const period = { start: now, end: nextBoundary(anchor, rhythm, now) };
  const atPeriodEnd = params['cancel_at_period_end'] === true;
  return {
    ...NOTHING,
    id,
    object: 'subscription',
    billing_cycle_anchor: anchor,
    cancel_at: cancelAt ?? (atPeriodEnd ? period.end : null),
    cancel_at_period_end: atPeriodEnd,
    canceled_at: atPeriodEnd || cancelAt !== undefined ? now : null,
    cancellation_details: { ...NO_CANCELLATION, ...((atPeriodEnd || cancelAt !== undefined) && { reason: 'cancellation_requested' }) },
    collection_method: collection,
    created: now,
    currency: wanted[0]?.price.currency ?? 'usd',
    customer: customer.id,
    days_until_due: days,
    default_payment_method: method ?? null,
    description: (params['description'] as string | null | undefined) ?? null,
    ended_at: null,
    items: itemList(
      id,
      wanted.map((one) => newItem(world, id, one, period)),
    ),
    latest_invoice: null,
    metadata,
    payment_settings: paymentSettings(params),
    start_date: now,
    status: 'incomplete',
    trial_end: trialEnd,
    trial_settings: trialSettings(params),
    trial_start: trialEnd === null ? null : now,
  };
}

export function paymentSettings(params: Params): object {
  const given = (params['payment_settings'] ?? {}) as {
    save_default_payment_method?: string;
    payment_method_options?: object;
    payment_method_types?: object;
  };
  const wrong = (['payment_method_options', 'payment_method_types'] as const).find((name) => given[name] !== undefined);
  if (wrong !== undefined)
    throw invalidParam(
      `This simulator does not support the parameter payment_settings[${wrong}] here (Stripe does).`,
      `payment_settings[${wrong}]`,
    );
  return {
    payment_method_options: null,
    payment_method_types: null,
    save_default_payment_method: given.save_default_payment_method ?? 'off',
  };
}

function trialSettings(params: Params): Subscription['trial_settings'] {
  const given = params['trial_settings'] as { end_behavior: { missing_payment_method: TrialEndBehaviour } } | undefined;
  return {
    end_behavior: { billing_cycle_anchor: null, missing_payment_method: given?.end_behavior.missing_payment_method ?? 'create_invoice' },
  };
}

/** `trial_period_days` or `trial_end`; null for none. */
function trialEndOf(world: World, params: Params): number | null {
  const { trial_period_days: days, trial_end: end } = params as { trial_period_days?: number; trial_end?: number | 'now' };
  if (days !== undefined && end !== undefined) {
    throw invalidParam('You may only specify one of these parameters: trial_end, trial_period_days.', 'trial_end', 'parameters_exclusive');
  }
  const now = world.clock.nowSeconds();
  if (days !== undefined && days < 1)
    throw invalidParam('This value must be greater than or equal to 1.', 'trial_period_days', 'parameter_invalid_integer');
  if (days !== undefined) return now + days * DAY_SECONDS;
  if (end === undefined || end === 'now') return null;
  if (end <= now) throw invalidParam('Invalid timestamp: must be an integer Unix timestamp in the future.', 'trial_end');
  return end;
}

export function daysUntilDue(params: Params, collection: CollectionMethod): number | null {
  const days = params['days_until_due'] as number | undefined;
  if (collection === 'send_invoice' && days === undefined) {
    throw invalidParam('If collection_method is `send_invoice`, you must specify `days_until_due`.', 'days_until_due', 'parameter_missing');
  }
  if (collection === 'charge_automatically' && days !== undefined) {
    throw invalidParam('You can only specify `days_until_due` if collection_method is `send_invoice`.', 'days_until_due');
  }
  return days ?? null;
}

const NO_METHOD =
  'This customer has no attached payment source or default payment method. Please consider adding a default payment method. For more information, visit https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.';
