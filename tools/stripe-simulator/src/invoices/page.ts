import { escaped, html } from '../control/html.js';
import { type Answer } from '../http/answer.js';
import { formatAmount } from '../money/currencies.js';
import { type Invoice, type LineItem } from './invoice.js';

/** What `hosted_invoice_url` shows. */
export function invoicePage(invoice: Invoice): Answer {
  const row = ({ description, amount, currency }: LineItem): string =>
    `<li>${escaped(description ?? '')}: ${formatAmount(amount, currency)}</li>`;
  return html(
    `<h1>Invoice ${escaped(invoice.number ?? '')}</h1><p>${invoice.status}</p><ul>${invoice.lines.data.map(row).join('')}</ul>
<p>Amount due: ${formatAmount(invoice.amount_due, invoice.currency)}</p>`,
  );
}
