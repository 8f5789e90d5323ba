import { type Cause } from '../http/call.js';
import { type BillingReason, type Invoice, type LineItem, type Period } from '../invoices/invoice.js';
import { mustExistCustomer } from '../customers/find.js';
import { collectAutomatically } from '../invoices/collect.js';
import { pendingItems, takeItems } from '../invoices/create.js';
import { newDraft } from '../invoices/draft.js';
import { finalizeInvoice } from '../invoices/finalize.js';
import { subscriptionLine } from '../invoices/lines.js';
import { usageWithin } from '../meters/usage.js';
import { type World } from '../world.js';
import { type Subscription, type SubscriptionItem } from './subscription.js';

const DAY_SECONDS = 86_400;

interface Bill {
  readonly reason: BillingReason;
  readonly advance: 'later' | 'at_once' | 'never';
  /** The period that licensed items are paid for in advance; none bills no licensed item. */
  readonly ahead?: Period;
  /** The period whose usage metered items are billed for; none bills no usage. */
  readonly behind?: Period;
  /** Nothing costs anything during a trial. */
  readonly trial?: boolean;
}

/** A draft invoice of a subscription: licensed items ahead, usage behind, and whatever waits for the next invoice. */
export function draftBill(world: World, subscription: Subscription, bill: Bill, cause: Cause): Invoice {
  const pending = pendingItems(world, subscription.customer, subscription.id).filter(({ currency }) => currency === subscription.currency);
  const now = world.clock.nowSeconds();
  const days = subscription.days_until_due;
  return newDraft(
    world,
    {
      customer: mustExistCustomer(world, subscription.customer),
      currency: subscription.currency,
      reason: bill.reason,
      collection: subscription.collection_method,
      dueDate: days === null ? null : now + days * DAY_SECONDS,
      advance: bill.advance,
      parent: {
        quote_details: null,
        subscription_details: { metadata: subscription.metadata, subscription: subscription.id },
        type: 'subscription_details',
      },
      period: bill.behind ?? { start: now, end: now },
      lines: (id) => [
        ...takeItems(world, pending, id),
        ...subscription.items.data.flatMap((item) => linesOf(world, subscription, item, bill, id)),
      ],
    },
    cause,
  );
}

function linesOf(world: World, { customer }: Subscription, item: SubscriptionItem, bill: Bill, invoice: string): LineItem[] {
  if (item.price.recurring?.usage_type === 'metered') {
    const meter = item.price.recurring.meter ?? '';
    return bill.behind === undefined
      ? []
      : [subscriptionLine(world, item, usageWithin(world, meter, customer, bill.behind), bill.behind, invoice)];
  }
  if (bill.ahead === undefined) return [];
  const line = subscriptionLine(world, item, item.quantity ?? 0, bill.ahead, invoice);
  return [bill.trial ? { ...line, amount: 0, subtotal: 0, description: `Trial period for ${line.description ?? ''}` } : line];
}

/** Finalizes a bill at once and collects it, if it is to be charged. */
export function collectBill(world: World, draft: Invoice, cause: Cause): Invoice {
  const open = finalizeInvoice(world, draft, cause);
  return open.status === 'open' && open.collection_method === 'charge_automatically' ? collectAutomatically(world, open, cause) : open;
}
