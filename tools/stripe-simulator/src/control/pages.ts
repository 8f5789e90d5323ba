import { type Charge } from '../charges/charge.js';
import { checkoutPage } from '../checkout/page.js';
import { type Answer } from '../http/answer.js';
import { invoicePage } from '../invoices/page.js';
import { formatAmount } from '../money/currencies.js';
import { type World } from '../world.js';
import { authenticationPage } from './authentication-page.js';
import { html } from './html.js';

/** The pages that links in objects lead to: a receipt, the bank's authentication step, an invoice, the hosted Checkout page. */
export function pageFor(world: World, url: URL, method: string, form: string): Answer | undefined {
  const [, kind, id = '', step] = url.pathname.split('/');
  if (kind === '__checkout') {
    const session = world.checkoutSessions.get(id);
    return session && checkoutPage(world, session, { method, back: step === 'return', form });
  }
  if (kind === '__receipts') {
    const charge = world.charges.get(id);
    return charge === undefined ? undefined : receipt(charge);
  }
  if (kind === '__invoices') {
    const invoice = world.invoices.get(id);
    return invoice && invoicePage(invoice);
  }
  if (kind === '__mandates') {
    const mandate = world.mandates.get(id);
    return mandate && html(`<h1>Mandate</h1><p>${mandate.id}</p><p>${mandate.status}</p>`);
  }
  if (kind === '__3ds') {
    return authenticationPage(world, id, url.searchParams.get('outcome'));
  }
  return undefined;
}

function receipt(charge: Charge): Answer {
  const refunded = charge.amount_refunded === 0 ? '' : `<p>Refunded: ${formatAmount(charge.amount_refunded, charge.currency)}</p>`;
  return html(`<h1>Receipt</h1><p>${charge.id}</p><p>Paid: ${formatAmount(charge.amount_captured, charge.currency)}</p>${refunded}`);
}
