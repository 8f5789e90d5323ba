import { type Invoice } from './invoice.js';

/** Lists within objects show so many; the rest is read page by page (`url`). */
const FIRST = 10;

/** An invoice as the API shows it: with its first lines. */
export function withFirstLines(invoice: Invoice): Invoice {
  const { lines } = invoice;
  return lines.data.length <= FIRST ? invoice : { ...invoice, lines: { ...lines, data: lines.data.slice(0, FIRST), has_more: true } };
}

/** The same of whatever is shown: an invoice, a list of them, or anything else. */
export function shownLines(value: unknown): unknown {
  if (isInvoice(value)) return withFirstLines(value);
  const { object, data } = (value ?? {}) as { object?: string; data?: readonly unknown[] };
  return object === 'list' && data?.some(isInvoice) ? { ...(value as object), data: data.map(shownLines) } : value;
}

const isInvoice = (value: unknown): value is Invoice =>
  (value as { object?: string } | null)?.object === 'invoice' && 'lines' in (value as object);
