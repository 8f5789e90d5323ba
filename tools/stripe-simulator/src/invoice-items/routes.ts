import { type Call } from '../http/call.js';
import { noSuch, refused } from '../http/errors.js';
import { listPage } from '../http/list.js';
import { type Route } from '../http/route.js';
import { type Period } from '../invoices/invoice.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { type World } from '../world.js';
import { costOf, createInvoiceItem, refreshDraft } from './create.js';
import { type InvoiceItem } from './invoice-item.js';

const PATH = '/v1/invoiceitems';
const UNSUPPORTED = ['customer_account', 'discountable', 'discounts', 'quantity_decimal', 'tax_behavior', 'tax_code', 'tax_rates'];
const PRICED = ['amount', 'pricing', 'price_data', 'unit_amount_decimal', 'quantity'];

export const invoiceItemRoutes: readonly Route[] = [
  { operation: `POST ${PATH}`, returns: 'invoiceitem', unsupported: UNSUPPORTED, handle: createInvoiceItem },
  {
    operation: `GET ${PATH}`,
    returns: 'list<invoiceitem>',
    unsupported: ['customer_account'],
    handle: (world, call) => {
      const pending = call.params['pending'] as boolean | undefined;
      return listPage(call, world.invoiceItems, {
        noun: 'invoiceitem',
        url: PATH,
        filters: ['customer', 'invoice'],
        ...(pending !== undefined && { matches: ({ invoice }) => (invoice === null) === pending }),
      });
    },
  },
  { operation: `GET ${PATH}/{id}`, returns: 'invoiceitem', handle: (world, { id }) => itemById(world, id) },
  { operation: `POST ${PATH}/{id}`, returns: 'invoiceitem', unsupported: [...UNSUPPORTED, 'invoicing_rules'], handle: updateItem },
  { operation: `DELETE ${PATH}/{id}`, returns: 'deleted_invoiceitem', handle: deleteItem },
];

function updateItem(world: World, { id, params, cause }: Call): InvoiceItem {
  const before = changeable(world, id);
  const priced = PRICED.some((name) => params[name] !== undefined);
  const known = { currency: before.currency, ...(params['quantity'] === undefined && { amount: before.amount }) };
  const cost = priced ? costOf(world, { ...known, description: before.description, ...params }, before.currency, cause) : {};
  const after: InvoiceItem = {
    ...before,
    ...cost,
    ...(params['description'] !== undefined && { description: params['description'] as string | null }),
    ...(params['period'] !== undefined && { period: params['period'] as Period }),
    metadata: mergeMetadata(before.metadata, params['metadata'] as Metadata | null | undefined),
  };
  const stored = world.invoiceItems.replace({ ...after, net_amount: after.amount, quantity_decimal: String(after.quantity) });
  if (stored.invoice !== null) refreshDraft(world, stored.invoice, cause);
  return stored;
}

function deleteItem(world: World, { id, cause }: Call): object {
  const item = changeable(world, id);
  world.invoiceItems.remove(id);
  world.events.emit('invoiceitem.deleted', item, cause);
  if (item.invoice !== null) refreshDraft(world, item.invoice, cause);
  return { id, object: 'invoiceitem', deleted: true };
}

/** An item may change until the invoice it is on is finalized. */
function changeable(world: World, id: string): InvoiceItem {
  const item = itemById(world, id);
  const invoice = item.invoice === null ? undefined : world.invoices.get(item.invoice);
  if (invoice !== undefined && invoice.status !== 'draft') {
    throw refused('This invoice item belongs to an invoice that is no longer a draft.', 'invoice_not_editable');
  }
  return item;
}

function itemById(world: World, id: string): InvoiceItem {
  const item = world.invoiceItems.get(id);
  if (item === undefined) throw noSuch('invoiceitem', id, 'id');
  return item;
}
