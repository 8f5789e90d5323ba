import { type Call } from '../http/call.js';
import { refused } from '../http/errors.js';
import { mustBelong } from '../payment-methods/belongs.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { type World } from '../world.js';
import { editInvoice } from './change.js';
import { dueDateOf } from './create.js';
import { FINALIZE_INVOICE } from './draft.js';
import { INVOICE_OVERDUE } from './finalize.js';
import { invoiceById } from './find.js';
import { type CollectionMethod, type Invoice } from './invoice.js';

const AT_ANY_TIME = ['metadata', 'expand'];
const WHILE_OPEN = [...AT_ANY_TIME, 'auto_advance', 'default_payment_method', 'due_date', 'days_until_due'];

/** `POST /v1/invoices/{id}`: a draft may change in everything, an open invoice in how it is collected, all others in their metadata. */
export function updateInvoice(world: World, { id, params, cause }: Call): Invoice {
  const before = invoiceById(world, id);
  const allowed = before.status === 'open' ? WHILE_OPEN : AT_ANY_TIME;
  const late = before.status === 'draft' ? undefined : Object.keys(params).find((name) => !allowed.includes(name));
  if (late !== undefined) throw refused("Finalized invoices can't be updated in this field.", 'invoice_not_editable', { param: late });
  const collection = (params['collection_method'] as CollectionMethod | undefined) ?? before.collection_method;
  const method = params['default_payment_method'] as string | null | undefined;
  if (typeof method === 'string') mustBelong(world, method, before.customer, 'default_payment_method');
  const dated = ['collection_method', 'days_until_due', 'due_date'].some((name) => params[name] !== undefined);
  const texts = ['description', 'footer', 'statement_descriptor'].filter((name) => params[name] !== undefined);
  const after = editInvoice(
    world,
    before,
    {
      ...Object.fromEntries(texts.map((name) => [name, params[name]])),
      metadata: mergeMetadata(before.metadata, params['metadata'] as Metadata | null | undefined),
      ...(method !== undefined && { default_payment_method: method }),
      ...(dated && { collection_method: collection, due_date: dueDateOf(world, params, collection) }),
      ...advance(world, before, params['auto_advance'] as boolean | undefined),
    },
    cause,
  );
  if (after.automatically_finalizes_at !== null && before.automatically_finalizes_at === null) {
    world.scheduler.scheduleAt(after.automatically_finalizes_at * 1000, { kind: FINALIZE_INVOICE, id });
  }
  if (after.status === 'open' && after.due_date !== null && after.due_date !== before.due_date) {
    world.scheduler.scheduleAt(after.due_date * 1000, { kind: INVOICE_OVERDUE, id });
  }
  return after;
}

function advance(world: World, invoice: Invoice, asked: boolean | undefined): Partial<Invoice> {
  if (asked === undefined || asked === invoice.auto_advance) return {};
  if (!asked) return { auto_advance: false, automatically_finalizes_at: null, next_payment_attempt: null };
  if (invoice.status !== 'draft') return { auto_advance: true };
  return { auto_advance: true, automatically_finalizes_at: world.clock.nowSeconds() + world.settings.invoiceDraftSeconds };
}
