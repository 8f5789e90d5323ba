import { CheckoutId } from '@tidegate/contracts/ids';
import { LateSuccessBody } from '@tidegate/contracts/requests';
import { CheckoutView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const resolveOperatorLateSuccess = defineEndpoint({
  id: 'resolveOperatorLateSuccess',
  method: 'POST',
  path: '/v1/ops/checkouts/{id}/late-success',
  tag: 'Operations',
  summary: 'Accept or give back a late success that is held, of any tenant',
  description:
    'The same as the route of the tenant, without a key of the tenant. Written down with who and why. A `refund` is `refunding` until Stripe has it: ' +
    'see `GET /v1/ops/checkouts/{id}`. What is not held is 422.',
  scope: 'ops',
  rpc: RPC.operatorCheckoutLateSuccess,
  params: { id: CheckoutId },
  body: LateSuccessBody,
  idempotencyKey: 'required',
  answers: { 200: { description: 'The checkout', schema: CheckoutView } },
  problems: ['payments.illegal_state', 'payments.in_progress', 'payments.stripe_unavailable'],
});
