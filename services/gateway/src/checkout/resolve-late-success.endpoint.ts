import { CheckoutId } from '@tidegate/contracts/ids';
import { LateSuccessBody } from '@tidegate/contracts/requests';
import { CheckoutView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const resolveLateSuccess = defineEndpoint({
  id: 'resolveLateSuccess',
  method: 'POST',
  path: '/v1/checkout-sessions/{id}/late-success',
  tag: 'Checkout',
  summary: 'Accept or give back a late success that is held',
  description: 'With LATE_SUCCESS_POLICY=hold, what was paid after the end of its window waits here. Written down with who and why.',
  scope: 'checkout:write',
  rpc: RPC.checkoutLateSuccess,
  params: { id: CheckoutId },
  body: LateSuccessBody,
  idempotencyKey: 'required',
  answers: { 200: { description: 'The checkout', schema: CheckoutView } },
  problems: ['payments.illegal_state', 'payments.in_progress', 'payments.stripe_unavailable'],
});
