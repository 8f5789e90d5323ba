import { type Call, type Cause } from '../http/call.js';
import { invalidParam, noSuch } from '../http/errors.js';
import { type CollectionMethod } from '../invoices/invoice.js';
import { mustBelong } from '../payment-methods/belongs.js';
import { planOf } from '../prices/plan.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { type Params } from '../schema/params.js';
import { type World } from '../world.js';
import { collectBill, draftBill } from './bill.js';
import { detailsOf } from './cancel.js';
import { changeSubscription } from './change.js';
import { mustBeChargeable } from './chargeable.js';
import { daysUntilDue, paymentSettings } from './create.js';
import { mustAllow, subscriptionById } from './find.js';
import { checkTogether, itemList, newItem, readItem } from './items.js';
import { nextBoundary } from './periods.js';
import { prorate } from './prorate.js';
import { planNext } from './schedule.js';
import { NO_CANCELLATION } from './new-subscription.js';
import { type Subscription, type SubscriptionItem, periodOf } from './subscription.js';

const AFTER_THE_END = ['metadata', 'cancellation_details', 'expand'];
/** "A subscription in this status can only have metadata and default_source updated" (`status` in the API reference). */
const WHILE_INCOMPLETE = ['metadata', 'default_payment_method', 'expand'];

/** `POST /v1/subscriptions/{id}`. Changed items are prorated unless told otherwise; a new rhythm starts a new period and an invoice. */
export function updateSubscription(world: World, { id, params, cause }: Call): Subscription {
  const before = subscriptionById(world, id);
  const free = before.status === 'incomplete' ? WHILE_INCOMPLETE : AFTER_THE_END;
  if (Object.keys(params).some((name) => !free.includes(name))) mustAllow('update', before);
  const plain = plainChanges(world, before, params);
  const items = params['items'] === undefined ? before.items.data : changedItems(world, before, params['items'] as Params[], cause);
  const rhythm = checkTogether(items);
  const restarted = rhythmOf(before) !== `${rhythm.interval_count} ${rhythm.interval}` || params['trial_end'] === 'now';
  const behavior = (params['proration_behavior'] as string | undefined) ?? 'create_prorations';
  const billed = ['active', 'past_due'].includes(before.status);
  if (params['payment_behavior'] === 'error_if_incomplete' && (restarted || behavior === 'always_invoice')) mustPay(world, before);
  if (billed && behavior !== 'none' && items !== before.items.data && !restarted) prorate(world, before, items, cause);
  if (restarted) return restart(world, before, { ...plain, items: itemList(id, items) }, behavior, cause);
  const bills = billed && behavior === 'always_invoice' && items !== before.items.data;
  const bill = bills ? draftBill(world, before, { reason: 'subscription_update', advance: 'at_once' }, cause) : undefined;
  const changes = { ...plain, items: itemList(id, items), ...(bill !== undefined && { latest_invoice: bill.id }) };
  planNext(world, changeSubscription(world, before, changes, cause));
  if (bill !== undefined) collectBill(world, bill, cause);
  return subscriptionById(world, id);
}

/** A new cycle from now on: the rest of the old period is credited and the new one billed at once. */
function restart(world: World, before: Subscription, changes: Partial<Subscription>, behavior: string, cause: Cause): Subscription {
  const now = world.clock.nowSeconds();
  if (before.status !== 'trialing' && behavior !== 'none') prorate(world, before, [], cause);
  const draft = { ...before, ...changes } as Subscription;
  const end = nextBoundary(now, checkTogether(draft.items.data), now);
  const items = itemList(
    before.id,
    draft.items.data.map((item) => ({ ...item, current_period_start: now, current_period_end: end })),
  );
  const trialing = before.status === 'trialing';
  const moved: Subscription = {
    ...draft,
    items,
    billing_cycle_anchor: now,
    ...(trialing && { trial_end: now, status: 'active' as const }),
    ...(draft.cancel_at_period_end && { cancel_at: end }),
  };
  const bill = draftBill(
    world,
    moved,
    {
      reason: trialing ? 'subscription_cycle' : 'subscription_update',
      advance: 'at_once',
      ahead: { start: now, end },
      behind: { start: periodOf(before).start, end: now },
    },
    cause,
  );
  planNext(world, changeSubscription(world, before, { ...moved, latest_invoice: bill.id }, cause));
  collectBill(world, bill, cause);
  return subscriptionById(world, before.id);
}

function plainChanges(world: World, before: Subscription, params: Params): Partial<Subscription> {
  const method = params['default_payment_method'] as string | null | undefined;
  if (typeof method === 'string') mustBelong(world, method, before.customer, 'default_payment_method');
  const collection = (params['collection_method'] as CollectionMethod | undefined) ?? before.collection_method;
  const dated = params['collection_method'] !== undefined || params['days_until_due'] !== undefined;
  const behavior = (params['trial_settings'] as Subscription['trial_settings'] | undefined)?.end_behavior.missing_payment_method;
  return {
    metadata: mergeMetadata(before.metadata, params['metadata'] as Metadata | null | undefined),
    ...(params['description'] !== undefined && { description: params['description'] as string | null }),
    ...(method !== undefined && { default_payment_method: method }),
    ...(dated && { collection_method: collection, days_until_due: daysUntilDue(params, collection) }),
    ...(params['payment_settings'] !== undefined && { payment_settings: paymentSettings(params) }),
    ...(behavior !== undefined && { trial_settings: { end_behavior: { billing_cycle_anchor: null, missing_payment_method: behavior } } }),
    ...trialChange(world, before, params['trial_end'] as number | 'now' | undefined),
    ...endChange(world, before, params),
  };
}

function trialChange(world: World, before: Subscription, end: number | 'now' | undefined): Partial<Subscription> {
  if (end === undefined) return {};
  if (before.status !== 'trialing')
    throw invalidParam('This simulator changes the end of a running trial only (Stripe can start one).', 'trial_end');
  if (end === 'now') return {};
  if (end <= world.clock.nowSeconds())
    throw invalidParam('Invalid timestamp: must be an integer Unix timestamp in the future.', 'trial_end');
  return {
    trial_end: end,
    billing_cycle_anchor: end,
    items: itemList(
      before.id,
      before.items.data.map((item) => ({ ...item, current_period_end: end })),
    ),
  };
}

/** `cancel_at_period_end`, `cancel_at` and the customer's reasons. */
function endChange(world: World, before: Subscription, params: Params): Partial<Subscription> {
  const { cancel_at_period_end: atEnd, cancel_at: at } = params as { cancel_at_period_end?: boolean; cancel_at?: number | null };
  if (atEnd !== undefined && at !== undefined) {
    throw invalidParam(
      'You may only specify one of these parameters: cancel_at, cancel_at_period_end.',
      'cancel_at',
      'parameters_exclusive',
    );
  }
  const details = { ...before.cancellation_details, ...detailsOf(params['cancellation_details']) };
  const now = world.clock.nowSeconds();
  const cancelAt = atEnd === true ? periodOf(before).end : at;
  // The period of a paused subscription is over.
  if (typeof cancelAt === 'number' && cancelAt <= now)
    throw invalidParam('`cancel_at` must be in the future.', atEnd === true ? 'cancel_at_period_end' : 'cancel_at');
  if (typeof cancelAt === 'number') {
    return {
      cancel_at: cancelAt,
      cancel_at_period_end: atEnd === true,
      canceled_at: now,
      cancellation_details: { ...details, reason: 'cancellation_requested' },
    };
  }
  if (atEnd === false || at === null) {
    return { cancel_at: null, cancel_at_period_end: false, canceled_at: null, cancellation_details: NO_CANCELLATION };
  }
  return { cancellation_details: details };
}

/** Items with an id change or go (`deleted`); those without one are added. */
function changedItems(world: World, before: Subscription, given: readonly Params[], cause: Cause): readonly SubscriptionItem[] {
  let items = before.items.data;
  for (const [at, one] of given.entries()) {
    const path = `items[${at}]`;
    const id = one['id'] as string | undefined;
    const old = items.find((item) => item.id === id);
    if (id !== undefined && old === undefined) throw noSuch('subscription item', id, `${path}[id]`);
    if (old !== undefined && one['deleted'] === true) {
      items = items.filter((item) => item !== old);
      continue;
    }
    const wanted = readItem(world, one, path, cause, old);
    const fresh = newItem(world, before.id, wanted, periodOf(before));
    if (old === undefined) items = [...items, fresh];
    else items = items.map((item) => (item === old ? { ...fresh, id: old.id, created: old.created, plan: planOf(wanted.price) } : item));
  }
  if (items.length === 0) throw invalidParam('A subscription must have at least one active price.', 'items');
  return items;
}

function rhythmOf({ items }: Subscription): string {
  const recurring = items.data[0]?.price.recurring;
  return `${recurring?.interval_count} ${recurring?.interval}`;
}

function mustPay(world: World, { customer, default_payment_method: own }: Subscription): void {
  const method = own ?? world.customers.get(customer)?.invoice_settings.default_payment_method;
  if (method) mustBeChargeable(world, method);
}
