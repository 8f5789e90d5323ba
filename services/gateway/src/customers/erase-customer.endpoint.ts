import { CustomerId } from '@tidegate/contracts/ids';
import { ReasonBody } from '@tidegate/contracts/ops/reason';
import { CustomerView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const eraseCustomer = defineEndpoint({
  id: 'eraseCustomer',
  method: 'POST',
  path: '/v1/customers/{id}/erase',
  tag: 'Customers',
  summary: 'Erase what is known about a customer',
  description:
    'Here at once: name, address, locale and metadata, and what payments and checkouts of this customer that have ended were told about a person, their metadata ' +
    'included; what is under way within a day of its end. At Stripe the customer is deleted, which cancels its subscriptions, now or as soon as Stripe answers ' +
    '(`erasing`). Payments, refunds and receipts stay; a receipt that is made again names nobody. Cannot be undone.',
  scope: 'customers:write',
  rpc: RPC.customerErase,
  params: { id: CustomerId },
  body: ReasonBody,
  idempotencyKey: 'none',
  answers: { 200: { description: 'What is left of the customer', schema: CustomerView } },
  problems: [],
});
