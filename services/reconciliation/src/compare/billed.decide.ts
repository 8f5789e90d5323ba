import { type BilledComparison, type BilledDifference, type BilledUsage, settledKey } from '@tidegate/contracts/rpc/billed-usage';
import type { Invoice, InvoiceLine } from '@tidegate/stripe-gateway/billing';
import { AGREES, type Comparison, differs } from './finding.js';
import type { Remote } from './kind.js';

const DAY_SECONDS = 86_400;
/** Usage is taken for 35 days after it was used, and is settled within a day: so long after an invoice was final something may still come too late for it. */
const LATE_SECONDS = 36 * DAY_SECONDS;
/** Stripe keeps a draft open for 72 hours at most: https://docs.stripe.com/billing/subscriptions/usage-based/configure-grace-period */
const DRAFT_SECONDS = 4 * DAY_SECONDS;

/** Usage on an invoice, that is not what Stripe took; or that could not be compared, then without a difference. `created` is when the invoice was final. */
export interface RemoteBilled extends Remote {
  difference: BilledDifference | null;
}

interface Span {
  gte: number;
  lt: number;
}

/**
 * Which invoices a run looks at: those that were final in its days; the one of the day all for which usage may still have come too late. They were made in `created`. Epoch
 * seconds, `gte` <= t < `lt`.
 */
export function invoicesOf({ gte, lt }: Span, ofTheDay: boolean): { final: Span; created: Span } {
  const from = ofTheDay ? Math.min(gte, lt - LATE_SECONDS) : gte;
  return { final: { gte: Math.max(0, from), lt }, created: { gte: Math.max(0, from - DRAFT_SECONDS), lt } };
}

/** One that was made void bills nothing: whoever did that has decided it. */
export const isBilling = ({ status, customer, finalized_at }: Invoice): boolean =>
  finalized_at !== null && customer !== null && status !== 'void' && status !== 'draft';

export const isFinalIn = (invoice: Invoice, { gte, lt }: Span): boolean =>
  isBilling(invoice) && invoice.finalized_at! >= gte && invoice.finalized_at! < lt;

/** Lines of subscriptions' items, by price and period; tiers and changes within a period make several of one. */
export function billedBy({ id: invoice, customer, finalized_at, metadata }: Invoice, lines: readonly InvoiceLine[]): BilledUsage[] {
  const found = new Map<string, BilledUsage>();
  for (const { recurring, price, subscription, start, end, quantity } of lines) {
    if (!recurring || price === null) continue;
    const settled = metadata[settledKey(price)] ?? null;
    const of = { invoice, customer: customer ?? '', subscription, price, start, end, finalized_at: finalized_at ?? 0 };
    const billed: BilledUsage = { ...of, quantities: [], settled };
    const one = found.get(billedId(billed)) ?? billed;
    found.set(billedId(billed), { ...one, quantities: [...one.quantities, quantity] });
  }
  return [...found.values()];
}

/** What identifies it in rows: `in_…/price_…/2026-10-01T00:00:00Z/2026-11-01T00:00:00Z`. */
export const billedId = ({ invoice, price, start, end }: Pick<BilledUsage, 'invoice' | 'price' | 'start' | 'end'>): string =>
  [invoice, price, timeOf(start), timeOf(end)].join('/');

export const invoiceOf = (id: string): string => id.split('/')[0] ?? '';

const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');

/** What payments told of invoices; `tenants` by invoice, as far as the invoice says. */
export function remotesOf(
  { differences, not_compared }: Pick<BilledComparison, 'differences' | 'not_compared'>,
  invoices: ReadonlyMap<string, Invoice>,
): RemoteBilled[] {
  const metadataOf = (invoice: string) => invoices.get(invoice)?.metadata ?? {};
  const finalAt = (invoice: string) => invoices.get(invoice)?.finalized_at ?? 0;
  return [
    ...differences.map((difference) => ({
      id: billedId(difference),
      created: difference.finalized_at,
      metadata: { tenant_id: difference.tenant },
      difference,
    })),
    ...not_compared.map((one) => ({
      id: billedId(one),
      created: finalAt(one.invoice),
      metadata: metadataOf(one.invoice),
      difference: null,
    })),
  ];
}

/** Payments has compared it already. */
export function compareBilled({ id, difference }: RemoteBilled): Comparison {
  if (difference === null) return AGREES;
  const { customer, meter, local, late, remote, settled, reason } = difference;
  const tooLate = Number(late) === 0 ? '' : `, ${late} of it taken after the invoice was final`;
  return differs({
    class: 'usage_mismatch',
    object: 'invoice_usage',
    local_id: `${customer}/${meter}`,
    payment_id: null,
    stripe_id: id,
    intent: null,
    local: `${local} of ${customer}/${meter}${tooLate}${reason === 'late_beside_others' ? '; others report it, too' : ''}`,
    remote: Number(settled) === 0 ? remote : `${remote}, ${settled} settled otherwise`,
  });
}
