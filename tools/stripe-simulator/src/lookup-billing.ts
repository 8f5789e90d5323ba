import { type CheckoutSession } from './checkout/session.js';
import { orderOf } from './checkout/find.js';
import { shownLines } from './invoices/first-lines.js';
import { type Invoice } from './invoices/invoice.js';
import { intentOf } from './invoices/payment.js';
import { type World } from './world.js';

/** The finders of `expand` for the catalogue and what is sold from it. */
export function billingFinders(world: World): Readonly<Record<string, (id: string) => object | undefined>> {
  return {
    product: (id) => world.products.get(id),
    invoice: (id) => shownLines(world.invoices.get(id)) as Invoice | undefined,
    invoice_payment: (id) => world.invoicePayments.get(id),
    subscription: (id) => world.subscriptions.get(id),
    price: (id) => world.prices.get(id) ?? world.inlinePrices.get(id),
  };
}

/** The fields of these objects that show only when asked for. */
export function billingIncludable(world: World, owner: { object?: string; id: string }, field: string): unknown {
  if (owner.object === 'price' && field === 'tiers') return world.priceTiers.get(owner.id)?.tiers;
  if (owner.object === 'checkout.session' && field === 'line_items') {
    const { items } = orderOf(world, owner as CheckoutSession);
    return { object: 'list', data: items, has_more: false, url: `/v1/checkout/sessions/${owner.id}/line_items` };
  }
  if (owner.object === 'invoice' && field === 'payments') {
    const data = world.invoicePayments.by('invoice', owner.id);
    return { object: 'list', data, has_more: false, url: `/v1/invoice_payments?invoice=${owner.id}` };
  }
  if (owner.object === 'invoice' && field === 'confirmation_secret') {
    const intent = intentOf(world, owner as Invoice);
    return intent === undefined ? null : { client_secret: intent.client_secret, type: 'payment_intent' };
  }
  if (owner.object === 'customer' && field === 'subscriptions') {
    const data = world.subscriptions.by('customer', owner.id).filter(({ status }) => status !== 'canceled');
    return { object: 'list', data: data.reverse(), has_more: false, url: `/v1/customers/${owner.id}/subscriptions` };
  }
  return undefined;
}
