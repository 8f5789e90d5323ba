import { type Cause } from '../http/call.js';
import { invalidParam } from '../http/errors.js';
import { newInlinePrice } from '../prices/create.js';
import { activePrice } from '../prices/find.js';
import { planOf } from '../prices/plan.js';
import { type Price, type Recurring } from '../prices/price.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { type Params } from '../schema/params.js';
import { type World } from '../world.js';
import { type Subscription, type SubscriptionItem } from './subscription.js';

const UNSUPPORTED = ['billing_thresholds', 'current_trial', 'discounts', 'plan', 'tax_rates', 'clear_usage'];
const MAX_ITEMS = 20;

/** What an item of a request says: its price and how many. */
export interface Wanted {
  readonly price: Price;
  readonly quantity: number | undefined;
  readonly metadata: Metadata;
}

/** One of `items[…]`: a recurring catalogue price or `price_data`; metered prices have no quantity. */
export function readItem(world: World, given: Params, path: string, cause: Cause, before?: SubscriptionItem): Wanted {
  const unsupported = UNSUPPORTED.find((name) => given[name] !== undefined);
  if (unsupported !== undefined) {
    throw invalidParam(
      `This simulator does not support the parameter ${path}[${unsupported}] here (Stripe does).`,
      `${path}[${unsupported}]`,
    );
  }
  const price = priceOf(world, given, path, cause) ?? before?.price;
  if (price === undefined) throw invalidParam(`Missing required param: ${path}[price].`, `${path}[price]`, 'parameter_missing');
  const quantity = given['quantity'] as number | undefined;
  const metered = price.recurring?.usage_type === 'metered';
  if (metered && quantity !== undefined)
    throw invalidParam('Quantity should not be specified where usage_type is `metered`.', `${path}[quantity]`);
  if (quantity !== undefined && quantity < 0)
    throw invalidParam('This value must be greater than or equal to 0.', `${path}[quantity]`, 'parameter_invalid_integer');
  return {
    price,
    quantity: metered ? undefined : (quantity ?? before?.quantity ?? 1),
    metadata: mergeMetadata(before?.metadata ?? {}, given['metadata'] as Metadata | null | undefined),
  };
}

function priceOf(world: World, given: Params, path: string, cause: Cause): Price | undefined {
  const named = given['price'] as string | undefined;
  const data = given['price_data'] as Params | undefined;
  const price =
    data === undefined ? named && activePrice(world, named, `${path}[price]`) : newInlinePrice(world, data, cause, `${path}[price_data]`);
  if (price === undefined || price === '') return undefined;
  if (price.recurring === null) {
    throw invalidParam(
      'The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.',
      `${path}[price]`,
    );
  }
  return price;
}

/** All items share currency and rhythm. Gives the rhythm. */
export function checkTogether(wanted: readonly { readonly price: Price }[]): Recurring {
  const first = wanted[0]?.price;
  if (first?.recurring === undefined || first.recurring === null)
    throw invalidParam('Missing required param: items.', 'items', 'parameter_missing');
  if (wanted.length > MAX_ITEMS) throw invalidParam(`A subscription can have at most ${MAX_ITEMS} items.`, 'items');
  for (const { price } of wanted) {
    if (price.currency !== first.currency) throw invalidParam('All prices on a subscription must have the same currency.', 'items');
    if (price.recurring?.interval !== first.recurring.interval || price.recurring.interval_count !== first.recurring.interval_count) {
      throw invalidParam(
        'This simulator supports subscriptions only whose items have the same billing interval (Stripe does more).',
        'items',
      );
    }
  }
  if (new Set(wanted.map(({ price }) => price.id)).size < wanted.length) {
    throw invalidParam('Cannot add multiple subscription items with the same price.', 'items');
  }
  return first.recurring;
}

/** The item as the API shows it, for a period. */
export function newItem(world: World, subscription: string, wanted: Wanted, period: { start: number; end: number }): SubscriptionItem {
  return {
    id: world.ids.next('si'),
    object: 'subscription_item',
    billing_thresholds: null,
    created: world.clock.nowSeconds(),
    current_period_end: period.end,
    current_period_start: period.start,
    current_trial: null,
    discounts: [],
    metadata: wanted.metadata,
    plan: planOf(wanted.price),
    price: wanted.price,
    ...(wanted.quantity !== undefined && { quantity: wanted.quantity }),
    subscription,
    tax_rates: [],
  };
}

export function itemList(id: string, data: readonly SubscriptionItem[]): Subscription['items'] {
  return { object: 'list', data, has_more: false, url: `/v1/subscription_items?subscription=${id}` };
}
