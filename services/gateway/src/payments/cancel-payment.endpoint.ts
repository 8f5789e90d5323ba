import { PaymentId } from '@tidegate/contracts/ids';
import { CancelPaymentBody } from '@tidegate/contracts/requests';
import { PaymentView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const cancelPayment = defineEndpoint({
  id: 'cancelPayment',
  method: 'POST',
  path: '/v1/payments/{id}/cancel',
  tag: 'Payments',
  summary: 'Cancel a payment that is not captured',
  scope: 'payments:write',
  rpc: RPC.paymentCancel,
  params: { id: PaymentId },
  body: CancelPaymentBody,
  idempotencyKey: 'required',
  answers: { 200: { description: 'The payment', schema: PaymentView } },
  problems: ['payments.illegal_state', 'payments.stripe_unavailable', 'payments.rejected_by_stripe'],
});
