import { mustExistCustomer } from '../customers/find.js';
import { type Call } from '../http/call.js';
import { invalidParam } from '../http/errors.js';
import { type InvoiceItem } from '../invoice-items/invoice-item.js';
import { checkedCurrency } from '../money/amounts.js';
import { mustBelong } from '../payment-methods/belongs.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { type Params } from '../schema/params.js';
import { subscriptionById } from '../subscriptions/find.js';
import { type World } from '../world.js';
import { newDraft } from './draft.js';
import { type CollectionMethod, type Invoice, type InvoiceParent } from './invoice.js';
import { itemLine } from './lines.js';

const DAY_SECONDS = 86_400;

/** `POST /v1/invoices`: a draft, empty unless pending items are included (`pending_invoice_items_behavior`). */
export function createInvoice(world: World, { params, cause }: Call): Invoice {
  const subscription =
    params['subscription'] === undefined ? undefined : subscriptionById(world, params['subscription'] as string, 'subscription');
  const named = (params['customer'] as string | undefined) ?? subscription?.customer;
  if (named === undefined) throw invalidParam('Missing required param: customer.', 'customer', 'parameter_missing');
  const customer = mustExistCustomer(world, named);
  if (subscription !== undefined && subscription.customer !== customer.id)
    throw invalidParam('The subscription belongs to another customer.', 'subscription');
  const method = params['default_payment_method'] as string | undefined;
  if (method !== undefined) mustBelong(world, method, customer.id, 'default_payment_method');
  const collection = (params['collection_method'] as CollectionMethod | undefined) ?? 'charge_automatically';
  const metadata = mergeMetadata({}, params['metadata'] as Metadata | null | undefined);
  const dueDate = dueDateOf(world, params, collection);
  const include = params['pending_invoice_items_behavior'] === 'include' || subscription !== undefined;
  const pending = include ? pendingItems(world, customer.id, subscription?.id) : [];
  const currency = checkedCurrency((params['currency'] as string | undefined) ?? subscription?.currency ?? pending[0]?.currency ?? 'usd');
  const now = world.clock.nowSeconds();
  const parent: InvoiceParent | null =
    subscription === undefined
      ? null
      : {
          quote_details: null,
          subscription_details: { metadata: subscription.metadata, subscription: subscription.id },
          type: 'subscription_details',
        };
  return newDraft(
    world,
    {
      customer,
      currency,
      reason: 'manual',
      collection,
      dueDate,
      advance: params['auto_advance'] === true ? 'later' : 'never',
      parent,
      period: { start: now, end: now },
      lines: (id) =>
        takeItems(
          world,
          pending.filter((item) => item.currency === currency),
          id,
        ),
      fields: {
        metadata,
        default_payment_method: method ?? null,
        description: (params['description'] as string | null | undefined) ?? null,
        footer: (params['footer'] as string | null | undefined) ?? null,
        statement_descriptor: (params['statement_descriptor'] as string | null | undefined) ?? null,
      },
    },
    cause,
  );
}

/** Items that wait for an invoice: those of a subscription and of none, or of none only. */
export function pendingItems(world: World, customer: string, subscription: string | undefined): InvoiceItem[] {
  return world.invoiceItems.by('customer', customer).filter(({ invoice, parent }) => {
    const its = parent?.subscription_details.subscription;
    return invoice === null && (its === undefined || its === subscription);
  });
}

/** Moves items onto an invoice. */
export function takeItems(world: World, items: readonly InvoiceItem[], invoice: string): ReturnType<typeof itemLine>[] {
  return items.map((item) => itemLine(world, world.invoiceItems.replace({ ...item, invoice }), invoice));
}

/** When a sent invoice is due: `due_date`, or so many days from now. */
export function dueDateOf(world: World, params: Params, collection: CollectionMethod): number | null {
  const { days_until_due: days, due_date: date } = params as { days_until_due?: number; due_date?: number };
  if (collection === 'charge_automatically') {
    const wrong = days !== undefined ? 'days_until_due' : date !== undefined ? 'due_date' : undefined;
    if (wrong !== undefined)
      throw invalidParam('You can only specify `days_until_due` or `due_date` if collection_method is `send_invoice`.', wrong);
    return null;
  }
  if (days === undefined && date === undefined) {
    throw invalidParam(
      'If collection_method is `send_invoice`, you must specify `days_until_due` or `due_date`.',
      'days_until_due',
      'parameter_missing',
    );
  }
  return date ?? world.clock.nowSeconds() + (days ?? 0) * DAY_SECONDS;
}
