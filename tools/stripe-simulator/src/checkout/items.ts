import { type Cause } from '../http/call.js';
import { invalidParam } from '../http/errors.js';
import { priceAmount } from '../prices/amount.js';
import { newInlinePrice } from '../prices/create.js';
import { activePrice } from '../prices/find.js';
import { type Price } from '../prices/price.js';
import { type Metadata } from '../schema/metadata-param.js';
import { type Params } from '../schema/params.js';
import { type World } from '../world.js';
import { type CheckoutItem, type SessionMode } from './session.js';

const MAX_ITEMS: Readonly<Record<SessionMode, number>> = { payment: 100, subscription: 40, setup: 0 };

/** The `line_items` of a new session: catalogue prices or `price_data`, all in one currency, fitting the mode. */
export function readItems(world: World, params: Params, mode: SessionMode, cause: Cause): CheckoutItem[] {
  const given = (params['line_items'] as readonly Params[] | undefined) ?? [];
  if (mode === 'setup') {
    if (given.length > 0) throw invalidParam('You can not pass `line_items` in `setup` mode.', 'line_items');
    return [];
  }
  if (given.length === 0) throw invalidParam('Missing required param: line_items.', 'line_items', 'parameter_missing');
  if (given.length > MAX_ITEMS[mode]) throw invalidParam(`You can have at most ${MAX_ITEMS[mode]} line items.`, 'line_items');
  const items = given.map((one, at) => readItem(world, one, `line_items[${at}]`, cause));
  checkCurrencies(items, params['currency'] as string | undefined);
  checkRecurrence(items, mode);
  return items;
}

function readItem(world: World, given: Params, path: string, cause: Cause): CheckoutItem {
  const price = priceOf(world, given, path, cause);
  const metered = price.recurring?.usage_type === 'metered';
  const quantity = given['quantity'] as number | undefined;
  if (metered && quantity !== undefined)
    throw invalidParam('Quantity should not be specified where usage_type is `metered`.', `${path}[quantity]`);
  if (!metered && quantity === undefined)
    throw invalidParam('Quantity is required. Add `quantity` to this line item.', `${path}[quantity]`, 'parameter_missing');
  if (quantity !== undefined && quantity < 1)
    throw invalidParam('This value must be greater than or equal to 1.', `${path}[quantity]`, 'parameter_invalid_integer');
  const amount = metered ? 0 : priceAmount(world, price, quantity ?? 0);
  const adjustable = given['adjustable_quantity'] as object | undefined;
  return {
    id: world.ids.next('li'),
    object: 'item',
    adjustable_quantity: adjustable === undefined ? null : { enabled: false, maximum: null, minimum: null, ...adjustable },
    amount_discount: 0,
    amount_subtotal: amount,
    amount_tax: 0,
    amount_total: amount,
    currency: price.currency,
    description: world.products.get(price.product)?.name ?? null,
    metadata: (given['metadata'] as Metadata | undefined) ?? {},
    price,
    quantity: quantity ?? null,
  };
}

function priceOf(world: World, given: Params, path: string, cause: Cause): Price {
  const named = given['price'] as string | undefined;
  const data = given['price_data'] as Params | undefined;
  if (named !== undefined && data !== undefined) {
    throw invalidParam(
      `You may only specify one of these parameters: ${path}[price], ${path}[price_data].`,
      `${path}[price]`,
      'parameters_exclusive',
    );
  }
  if (data !== undefined) return newInlinePrice(world, data, cause, `${path}[price_data]`);
  if (named === undefined)
    throw invalidParam(`You must specify either \`price\` or \`price_data\` for ${path}.`, path, 'parameter_missing');
  return activePrice(world, named, `${path}[price]`);
}

function checkCurrencies(items: readonly CheckoutItem[], asked: string | undefined): void {
  const currency = asked?.toLowerCase() ?? items[0]?.currency;
  const other = items.findIndex((item) => item.currency !== currency);
  if (other !== -1) {
    throw invalidParam(
      `All prices on a Checkout Session must be in the same currency; expected ${currency}, got ${items[other]?.currency}.`,
      `line_items[${other}][price]`,
    );
  }
}

function checkRecurrence(items: readonly CheckoutItem[], mode: SessionMode): void {
  const recurring = items.filter(({ price }) => price.recurring !== null);
  if (mode === 'payment' && recurring.length > 0) throw invalidParam(RECURRING_IN_PAYMENT, 'mode');
  if (mode !== 'subscription') return;
  if (recurring.length === 0)
    throw invalidParam('You must provide at least one recurring price in `subscription` mode when using prices.', 'line_items');
  const rhythms = new Set(recurring.map(({ price }) => `${price.recurring?.interval_count} ${price.recurring?.interval}`));
  if (rhythms.size > 1) throw invalidParam('Checkout does not support multiple prices with different billing intervals.', 'line_items');
}

const RECURRING_IN_PAYMENT =
  'You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.';
