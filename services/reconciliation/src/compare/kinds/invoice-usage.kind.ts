import type { BilledUsage } from '@tidegate/contracts/rpc/billed-usage';
import type { Invoice, InvoiceLine } from '@tidegate/stripe-gateway/billing';
import { everyPage } from '@tidegate/stripe-gateway/every-page';
import type { StripeOutcome } from '@tidegate/stripe-gateway/port';
import {
  billedBy,
  billedId,
  compareBilled,
  invoiceOf,
  invoicesOf,
  isBilling,
  isFinalIn,
  remotesOf,
  type RemoteBilled,
} from '../billed.decide.js';
import type { CompareStripe, ObjectKind } from '../kind.js';
import { usageKind } from './usage.kind.js';

/**
 * What final invoices bill of meters, beside what payments knows that Stripe took. Hours that agree are billed as they were counted, except at the seconds where a period
 * begins and ends, and except for what came after its invoice was final; this finds both.
 */
export const invoiceUsageKind: ObjectKind<RemoteBilled, never> = {
  name: 'invoice_usage',
  isWanted: (run) => usageKind.isWanted?.(run) ?? false,
  remote: {
    async list(stripe, { created, ...query }, { usage, ofTheDay, ...pass }) {
      const wanted = invoicesOf(created, ofTheDay);
      const page = await stripe.listInvoices({ ...query, created: wanted.created });
      if (page.kind !== 'ok') return page;
      const invoices = new Map(page.value.data.filter((one) => isFinalIn(one, wanted.final)).map((one) => [one.id, one]));
      const read = await billedOn(stripe, [...invoices.values()]);
      if (read.kind !== 'ok') return read;
      const told = await usage.billed(read.value.billed, pass);
      if (told.kind !== 'ok') return told;
      const last = page.value.data.at(-1);
      const ours = {
        cursor: page.value.has_more && last ? last.id : null,
        objects: told.value.compared,
        pages: 1 + read.value.calls,
      };
      return { ...page, value: { data: remotesOf(told.value, invoices), has_more: page.value.has_more, ours } };
    },
    async retrieve(stripe, id, { usage, ...pass }) {
      const invoice = await stripe.retrieveInvoice(invoiceOf(id));
      if (invoice.kind !== 'ok') return invoice;
      if (!isBilling(invoice.value)) return AGREE;
      const read = await billedOn(stripe, [invoice.value]);
      if (read.kind !== 'ok') return read;
      const told = await usage.billed(read.value.billed, pass);
      if (told.kind !== 'ok') return told;
      const found = told.value.differences.find((one) => billedId(one) === id);
      if (!found) return AGREE;
      const [remote] = remotesOf({ differences: [found], not_compared: [] }, new Map());
      return { ...told, value: remote! };
    },
    recordedFor: async () => new Map<string, never>(),
    compare: (_, remote) => compareBilled(remote),
    tally: ({ difference }) => (difference === null ? 'usage_not_compared' : null),
    isOf: () => false,
    countsForeign: false,
  },
};

const AGREE = { kind: 'not_found', param: null, message: 'both agree' } as const;

/** What invoices bill by price and period, with all of their lines, and how many calls that took. */
async function billedOn(
  stripe: CompareStripe,
  invoices: readonly Invoice[],
): Promise<StripeOutcome<{ billed: BilledUsage[]; calls: number }>> {
  const billed: BilledUsage[] = [];
  let calls = 0;
  for (const invoice of invoices) {
    const lines: StripeOutcome<InvoiceLine[]> = invoice.more_lines
      ? await everyPage((query) => {
          calls += 1;
          return stripe.listInvoiceLines(invoice.id, query);
        }, {}).then((all) => (all.kind === 'ok' ? { ...all, requestId: null } : all))
      : { kind: 'ok', value: invoice.lines, requestId: null };
    // An invoice that is final is not deleted; one that Stripe does not know any more bills nothing.
    if (lines.kind === 'not_found') continue;
    if (lines.kind !== 'ok') return lines;
    billed.push(...billedBy(invoice, lines.value));
  }
  return { kind: 'ok', value: { billed, calls }, requestId: null };
}
