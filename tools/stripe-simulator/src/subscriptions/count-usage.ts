import { type Invoice, type LineItem } from '../invoices/invoice.js';
import { totals } from '../invoices/totals.js';
import { usageWithin } from '../meters/usage.js';
import { priceAmount } from '../prices/amount.js';
import { productName, quantities } from '../invoices/lines.js';
import { type World } from '../world.js';
import { type Subscription } from './subscription.js';

/** Usage that came in while the invoice was a draft counts still. */
export function countUsage(world: World, subscription: Subscription, draft: Invoice): void {
  const lines = draft.lines.data.map((line) => counted(world, subscription, line));
  world.invoices.replace({ ...draft, ...totals(draft.id, draft.currency, lines, draft.starting_balance), ending_balance: null });
}

function counted(world: World, { items, customer }: Subscription, line: LineItem): LineItem {
  const item = items.data.find(({ id }) => id === line.parent?.subscription_item_details?.subscription_item);
  const recurring = item?.price.recurring;
  if (item === undefined || !recurring?.meter || line.pricing?.price_details.price !== item.price.id) return line;
  const quantity = usageWithin(world, recurring.meter, customer, line.period);
  const amount = priceAmount(world, item.price, quantity);
  return {
    ...line,
    amount,
    subtotal: amount,
    ...quantities(quantity),
    description: `${quantity} × ${productName(world, item.price)}`,
  };
}
