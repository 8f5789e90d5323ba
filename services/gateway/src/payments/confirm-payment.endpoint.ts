import { PaymentId } from '@tidegate/contracts/ids';
import { ConfirmPaymentBody } from '@tidegate/contracts/requests';
import { PaymentView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const confirmPayment = defineEndpoint({
  id: 'confirmPayment',
  method: 'POST',
  path: '/v1/payments/{id}/confirm',
  tag: 'Payments',
  summary: 'Confirm a payment with a payment method',
  scope: 'payments:write',
  rpc: RPC.paymentConfirm,
  params: { id: PaymentId },
  body: ConfirmPaymentBody,
  idempotencyKey: 'required',
  answers: { 200: { description: 'The payment', schema: PaymentView } },
  problems: ['payments.illegal_state', 'payments.stripe_unavailable', 'payments.rejected_by_stripe'],
});
