import { CheckoutId } from '@tidegate/contracts/ids';
import { CheckoutWindowBody } from '@tidegate/contracts/requests';
import { CheckoutView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const overrideOperatorWindow = defineEndpoint({
  id: 'overrideOperatorWindow',
  method: 'POST',
  path: '/v1/ops/checkouts/{id}/window',
  tag: 'Operations',
  summary: 'Extend or end the window of a checkout of any tenant by hand',
  description:
    'The same as the route of the tenant, without a key of the tenant. Written down with who and why. `extend` opens a fresh page, with another `url`, only after ' +
    'Stripe has closed the one before; an expired checkout opens again. One that was paid meanwhile stays complete, and the answer is 422.',
  scope: 'ops',
  rpc: RPC.operatorCheckoutWindow,
  params: { id: CheckoutId },
  body: CheckoutWindowBody,
  idempotencyKey: 'required',
  answers: { 200: { description: 'The checkout', schema: CheckoutView } },
  problems: ['payments.stripe_unavailable', 'payments.rejected_by_stripe', 'payments.illegal_state', 'payments.in_progress'],
});
