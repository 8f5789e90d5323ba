import { mustExistCustomer } from '../customers/find.js';
import { type Call, type Cause } from '../http/call.js';
import { invalidParam, refused } from '../http/errors.js';
import { editInvoice } from '../invoices/change.js';
import { invoiceById } from '../invoices/find.js';
import { itemLine, pricingOf, productName } from '../invoices/lines.js';
import { totals } from '../invoices/totals.js';
import { type Period } from '../invoices/invoice.js';
import { checkedCurrency } from '../money/amounts.js';
import { priceAmount } from '../prices/amount.js';
import { newInlinePrice } from '../prices/create.js';
import { decimalTimes } from '../prices/decimal.js';
import { activePrice } from '../prices/find.js';
import { type Price } from '../prices/price.js';
import { readMoney } from '../prices/read-tiers.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { type Params } from '../schema/params.js';
import { subscriptionById } from '../subscriptions/find.js';
import { type World } from '../world.js';
import { type InvoiceItem } from './invoice-item.js';

type Cost = Pick<InvoiceItem, 'amount' | 'currency' | 'description' | 'pricing' | 'quantity'>;

/** `POST /v1/invoiceitems`: onto a given draft, else pending until the customer's next invoice takes it. */
export function createInvoiceItem(world: World, { params, cause }: Call): InvoiceItem {
  const invoice = params['invoice'] === undefined ? undefined : invoiceById(world, params['invoice'] as string, 'invoice');
  if (invoice !== undefined && invoice.status !== 'draft') {
    throw refused("The invoice can't be modified: it is not a draft any more.", 'invoice_not_editable', { param: 'invoice' });
  }
  const named = (params['customer'] as string | undefined) ?? invoice?.customer;
  if (named === undefined) throw invalidParam('Missing required param: customer.', 'customer', 'parameter_missing');
  const customer = mustExistCustomer(world, named);
  if (invoice !== undefined && invoice.customer !== customer.id) throw invalidParam('The invoice belongs to another customer.', 'invoice');
  const subscription = params['subscription'] as string | undefined;
  if (subscription !== undefined && subscriptionById(world, subscription, 'subscription').customer !== customer.id) {
    throw invalidParam('The subscription belongs to another customer.', 'subscription');
  }
  const cost = costOf(world, params, invoice?.currency, cause);
  if (invoice !== undefined && cost.currency !== invoice.currency) throw invalidParam(`The invoice is in ${invoice.currency}.`, 'currency');
  return addInvoiceItem(
    world,
    {
      ...cost,
      customer: customer.id,
      invoice: invoice?.id ?? null,
      subscription,
      metadata: mergeMetadata({}, params['metadata'] as Metadata | null | undefined),
      period: (params['period'] as Period | undefined) ?? now(world),
      proration: false,
    },
    cause,
  );
}

type Given = Cost & Pick<InvoiceItem, 'customer' | 'invoice' | 'metadata' | 'period' | 'proration'> & { subscription: string | undefined };

/** Stores an item with `invoiceitem.created`; onto a draft it becomes a line at once. */
export function addInvoiceItem(world: World, { subscription, ...given }: Given, cause: Cause): InvoiceItem {
  const item = world.invoiceItems.insert({
    id: world.ids.next('ii'),
    object: 'invoiceitem',
    customer_account: null,
    date: world.clock.nowSeconds(),
    discountable: !given.proration,
    discounts: [],
    livemode: false,
    net_amount: given.amount,
    parent: subscription === undefined ? null : { subscription_details: { subscription }, type: 'subscription_details' },
    quantity_decimal: String(given.quantity),
    tax_rates: [],
    test_clock: null,
    ...given,
  });
  world.events.emit('invoiceitem.created', item, cause);
  if (item.invoice !== null) refreshDraft(world, item.invoice, cause);
  return item;
}

/** The lines of a draft follow its items. */
export function refreshDraft(world: World, id: string, cause: Cause): void {
  const invoice = invoiceById(world, id);
  const kept = invoice.lines.data.filter(({ parent }) => parent?.type !== 'invoice_item_details');
  const lines = world.invoiceItems.by('invoice', id).map((item) => {
    const before = invoice.lines.data.find(({ parent }) => parent?.invoice_item_details?.invoice_item === item.id);
    const fresh = itemLine(world, item, id);
    return before === undefined ? fresh : { ...fresh, id: before.id };
  });
  const sums = totals(id, invoice.currency, [...kept, ...lines], invoice.starting_balance);
  editInvoice(world, invoice, { ...sums, ending_balance: null }, cause);
}

/** An amount, a catalogue price, or a price made at the spot. */
export function costOf(world: World, params: Params, currency: string | undefined, cause: Cause): Cost {
  const quantity = (params['quantity'] as number | undefined) ?? 1;
  if (quantity < 0) throw invalidParam('This value must be greater than or equal to 0.', 'quantity', 'parameter_invalid_integer');
  const description = (params['description'] as string | null | undefined) ?? null;
  const price = priceOf(world, params, cause);
  if (price !== undefined) {
    if (price.recurring !== null)
      throw invalidParam('The price specified is recurring. This field only accepts one-time prices.', 'pricing[price]');
    const shown = description ?? productName(world, price);
    return {
      amount: priceAmount(world, price, quantity),
      currency: price.currency,
      description: shown,
      pricing: pricingOf(price),
      quantity,
    };
  }
  const money = { currency: checkedCurrency((params['currency'] as string | undefined) ?? currency ?? 'usd'), description, pricing: null };
  const unit = readMoney(undefined, params['unit_amount_decimal'] as string | undefined, 'unit_amount');
  if (unit !== null) return { ...money, amount: decimalTimes(unit, quantity), quantity };
  const amount = params['amount'] as number | undefined;
  if (amount === undefined) {
    throw invalidParam(
      'You must pass one of these parameters: amount, pricing, price_data, unit_amount_decimal.',
      'amount',
      'parameter_missing',
    );
  }
  if (params['quantity'] !== undefined) throw invalidParam('You may only specify one of these parameters: amount, quantity.', 'quantity');
  return { ...money, amount, quantity: 1 };
}

function priceOf(world: World, params: Params, cause: Cause): Price | undefined {
  const named = (params['pricing'] as { price?: string } | undefined)?.price;
  const data = params['price_data'] as Params | undefined;
  if (data !== undefined) return newInlinePrice(world, data, cause, 'price_data');
  return named === undefined ? undefined : activePrice(world, named, 'pricing[price]');
}

function now(world: World): Period {
  const at = world.clock.nowSeconds();
  return { start: at, end: at };
}
