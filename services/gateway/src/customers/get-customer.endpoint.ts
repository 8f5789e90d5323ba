import { CustomerId } from '@tidegate/contracts/ids';
import { CustomerView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const getCustomer = defineEndpoint({
  id: 'getCustomer',
  method: 'GET',
  path: '/v1/customers/{id}',
  tag: 'Customers',
  summary: 'See a customer',
  scope: 'customers:read',
  rpc: RPC.customerGet,
  params: { id: CustomerId },
  idempotencyKey: 'none',
  answers: { 200: { description: 'The customer', schema: CustomerView } },
  problems: [],
});
