import { arrayPage } from '../http/array-page.js';
import { type Call } from '../http/call.js';
import { refused } from '../http/errors.js';
import { listPage } from '../http/list.js';
import { type Route } from '../http/route.js';
import { schema } from '../schema/schema.js';
import { type World } from '../world.js';
import { createInvoice } from './create.js';
import { deleteInvoice, markUncollectible, voidInvoice } from './end.js';
import { finalizeInvoice } from './finalize.js';
import { invoiceById, mustAllow } from './find.js';
import { type Invoice, subscriptionOf } from './invoice.js';
import { payInvoice } from './pay.js';
import { updateInvoice } from './update.js';

const PATH = '/v1/invoices';
const SUPPORTED = [
  ...['auto_advance', 'collection_method', 'currency', 'customer', 'days_until_due', 'default_payment_method', 'description', 'due_date'],
  ...['expand', 'footer', 'metadata', 'pending_invoice_items_behavior', 'statement_descriptor', 'subscription'],
];
const unsupported = (operation: string): string[] =>
  Object.keys(schema.operations[operation] ?? {}).filter((name) => !SUPPORTED.includes(name));

export const invoiceRoutes: readonly Route[] = [
  { operation: `POST ${PATH}`, returns: 'invoice', unsupported: unsupported(`POST ${PATH}`), handle: createInvoice },
  {
    operation: `GET ${PATH}`,
    returns: 'list<invoice>',
    unsupported: ['customer_account', 'due_date'],
    handle: (world, call) => {
      const subscription = call.params['subscription'] as string | undefined;
      return listPage(call, world.invoices, {
        noun: 'invoice',
        url: PATH,
        filters: ['customer', 'status', 'collection_method'],
        ...(subscription !== undefined && { matches: (invoice) => subscriptionOf(invoice) === subscription }),
      });
    },
  },
  { operation: `GET ${PATH}/{id}`, returns: 'invoice', handle: (world, { id }) => invoiceById(world, id) },
  { operation: `POST ${PATH}/{id}`, returns: 'invoice', unsupported: unsupported(`POST ${PATH}/{id}`), handle: updateInvoice },
  {
    operation: `DELETE ${PATH}/{id}`,
    returns: 'deleted_invoice',
    handle: (world, { id, cause }) => deleteInvoice(world, invoiceById(world, id), cause),
  },
  { operation: `POST ${PATH}/{id}/finalize`, returns: 'invoice', handle: finalize },
  {
    operation: `GET ${PATH}/{id}/lines`,
    returns: 'list<line_item>',
    handle: (world, call) =>
      arrayPage(call, invoiceById(world, call.id).lines.data, { noun: 'line_item', url: `${PATH}/${call.id}/lines` }),
  },
  {
    operation: `POST ${PATH}/{id}/mark_uncollectible`,
    returns: 'invoice',
    handle: (world, { id, cause }) => markUncollectible(world, invoiceById(world, id), cause),
  },
  { operation: `POST ${PATH}/{id}/pay`, returns: 'invoice', unsupported: ['forgive', 'mandate', 'source'], handle: payInvoice },
  { operation: `POST ${PATH}/{id}/send`, returns: 'invoice', handle: send },
  {
    operation: `POST ${PATH}/{id}/void`,
    returns: 'invoice',
    handle: (world, { id, cause }) => voidInvoice(world, invoiceById(world, id), cause),
  },
];

function finalize(world: World, { id, params, cause }: Call): Invoice {
  const draft = invoiceById(world, id);
  mustAllow('finalize', draft);
  const advances = (params['auto_advance'] as boolean | undefined) ?? draft.auto_advance;
  return finalizeInvoice(world, { ...draft, auto_advance: advances }, cause);
}

/** Test mode sends no mail; the event comes all the same. */
function send(world: World, { id, cause }: Call): Invoice {
  const before = invoiceById(world, id);
  mustAllow('send', before);
  if (before.collection_method !== 'send_invoice') {
    throw refused("You can only manually send an invoice if its collection method is 'send_invoice'.", undefined);
  }
  const invoice = before.status === 'draft' ? finalizeInvoice(world, before, cause) : before;
  world.events.emit('invoice.sent', invoice, cause);
  return invoice;
}
