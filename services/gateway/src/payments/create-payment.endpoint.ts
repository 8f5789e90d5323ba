import { CreatePaymentBody } from '@tidegate/contracts/requests';
import { PaymentView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const createPayment = defineEndpoint({
  id: 'createPayment',
  method: 'POST',
  path: '/v1/payments',
  tag: 'Payments',
  summary: 'Create a payment',
  description:
    'Creates one PaymentIntent and, unless `confirm` is false, confirms it. A decline is a payment too: 201 with `failure`. When Stripe stays silent the ' +
    'answer is 201 with status `unknown`, which resolves by itself; ask again with GET or with the same key.',
  scope: 'payments:write',
  rpc: RPC.paymentCreate,
  params: {},
  body: CreatePaymentBody,
  idempotencyKey: 'required',
  respondAsync: true,
  answers: {
    201: { description: 'The payment', schema: PaymentView },
    202: { description: 'Accepted and queued, after `Prefer: respond-async`', schema: PaymentView },
  },
  problems: [
    'not_found',
    'payments.stripe_unavailable',
    'payments.rejected_by_stripe',
    'payments.amount_too_small',
    'payments.amount_too_large',
    'payments.currency_unsupported',
  ],
});
