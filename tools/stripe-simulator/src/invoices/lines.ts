import { type InvoiceItem } from '../invoice-items/invoice-item.js';
import { priceAmount } from '../prices/amount.js';
import { type Price } from '../prices/price.js';
import { type SubscriptionItem } from '../subscriptions/subscription.js';
import { type World } from '../world.js';
import { type LineItem, type LineParent, type Period, type Pricing } from './invoice.js';

export function pricingOf(price: Price): Pricing {
  return {
    price_details: { price: price.id, product: price.product },
    type: 'price_details',
    unit_amount_decimal: price.unit_amount_decimal,
  };
}

/** The line of an invoice item. */
export function itemLine(world: World, item: InvoiceItem, invoice: string): LineItem {
  const subscription = item.parent?.subscription_details.subscription ?? null;
  return line(world, {
    amount: item.amount,
    currency: item.currency,
    description: item.description,
    invoice,
    metadata: item.metadata,
    parent: {
      invoice_item_details: {
        invoice_item: item.id,
        proration: item.proration,
        proration_details: item.proration ? { credited_items: null } : null,
        subscription,
      },
      subscription_item_details: null,
      type: 'invoice_item_details',
    },
    period: item.period,
    pricing: item.pricing,
    quantity: item.quantity,
    subscription,
  });
}

/** The line of a subscription's item for a period; a metered item brings its usage as quantity. */
export function subscriptionLine(world: World, item: SubscriptionItem, quantity: number, period: Period, invoice: string): LineItem {
  const parent: LineParent = {
    invoice_item_details: null,
    subscription_item_details: {
      invoice_item: null,
      proration: false,
      proration_details: null,
      subscription: item.subscription,
      subscription_item: item.id,
    },
    type: 'subscription_item_details',
  };
  return line(world, {
    amount: priceAmount(world, item.price, quantity),
    currency: item.price.currency,
    description: `${quantity} × ${productName(world, item.price)}`,
    invoice,
    metadata: item.metadata,
    parent,
    period,
    pricing: pricingOf(item.price),
    quantity,
    subscription: item.subscription,
  });
}

export function productName(world: World, price: Price): string {
  return world.products.get(price.product)?.name ?? price.product;
}

type Given = Pick<
  LineItem,
  'amount' | 'currency' | 'description' | 'invoice' | 'metadata' | 'parent' | 'period' | 'pricing' | 'quantity' | 'subscription'
>;

function line(world: World, given: Given): LineItem {
  return {
    id: world.ids.next('il'),
    object: 'line_item',
    discount_amounts: [],
    discountable: true,
    discounts: [],
    livemode: false,
    pretax_credit_amounts: [],
    subtotal: given.amount,
    taxes: [],
    ...given,
    ...quantities(given.quantity),
  };
}

/** `quantity` is a whole number, the rest is cut off; `quantity_decimal` has up to twelve places (API reference of the line item). */
export function quantities(quantity: number | null): Pick<LineItem, 'quantity' | 'quantity_decimal'> {
  if (quantity === null) return { quantity, quantity_decimal: null };
  const decimal = quantity.toFixed(12).replace(/\.?0+$/, '');
  return { quantity: Math.trunc(quantity), quantity_decimal: decimal };
}
