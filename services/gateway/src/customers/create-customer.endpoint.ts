import { CreateCustomerBody } from '@tidegate/contracts/requests';
import { CustomerView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const createCustomer = defineEndpoint({
  id: 'createCustomer',
  method: 'POST',
  path: '/v1/customers',
  tag: 'Customers',
  summary: 'Make a customer',
  description:
    "The id is Stripe's, so there is none before Stripe has answered: 503 then, the request goes on by itself, and the same key gets the customer.",
  scope: 'customers:write',
  rpc: RPC.customerCreate,
  params: {},
  body: CreateCustomerBody,
  idempotencyKey: 'required',
  answers: { 201: { description: 'The customer', schema: CustomerView } },
  problems: ['payments.stripe_unavailable', 'payments.rejected_by_stripe'],
});
