import { CustomerView, listOf } from '@tidegate/contracts/responses';
import { z } from 'zod';
import { createdRange, paging } from '../http/list-query.js';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const listCustomers = defineEndpoint({
  id: 'listCustomers',
  method: 'GET',
  path: '/v1/customers',
  tag: 'Customers',
  summary: 'List customers, newest first',
  scope: 'customers:read',
  rpc: RPC.customerList,
  params: {},
  query: z.strictObject({ email: z.email().max(254).optional(), ...createdRange, ...paging }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of customers', schema: listOf(CustomerView) } },
  problems: [],
});
