import { InvoiceId } from '@tidegate/contracts/ids';
import { InvoiceView } from '@tidegate/contracts/invoice';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const getInvoice = defineEndpoint({
  id: 'getInvoice',
  method: 'GET',
  path: '/v1/invoices/{id}',
  tag: 'Subscriptions',
  summary: 'See an invoice',
  scope: 'subscriptions:read',
  rpc: RPC.invoiceGet,
  params: { id: InvoiceId },
  idempotencyKey: 'none',
  answers: { 200: { description: 'The invoice', schema: InvoiceView } },
  problems: [],
});
