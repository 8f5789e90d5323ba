import { CustomerId, SubscriptionId } from '@tidegate/contracts/ids';
import { InvoiceStatus, InvoiceView } from '@tidegate/contracts/invoice';
import { listOf } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { DunningState } from '@tidegate/contracts/subscription';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { createdRange, paging } from '../http/list-query.js';

export const listInvoices = defineEndpoint({
  id: 'listInvoices',
  method: 'GET',
  path: '/v1/invoices',
  tag: 'Subscriptions',
  summary: 'List invoices, newest first',
  scope: 'subscriptions:read',
  rpc: RPC.invoiceList,
  params: {},
  query: z.strictObject({
    status: InvoiceStatus.optional(),
    customer: CustomerId.optional(),
    subscription: SubscriptionId.optional(),
    dunning: DunningState.optional().describe('Only those that are not paid as planned, and wait for this'),
    ...createdRange,
    ...paging,
  }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of invoices', schema: listOf(InvoiceView) } },
  problems: [],
});
