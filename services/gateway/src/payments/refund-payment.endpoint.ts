import { PaymentId } from '@tidegate/contracts/ids';
import { RefundPaymentBody } from '@tidegate/contracts/requests';
import { RefundView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const refundPayment = defineEndpoint({
  id: 'refundPayment',
  method: 'POST',
  path: '/v1/payments/{id}/refunds',
  tag: 'Payments',
  summary: 'Refund a payment, whole or in part',
  scope: 'refunds:write',
  rpc: RPC.paymentRefund,
  params: { id: PaymentId },
  body: RefundPaymentBody,
  idempotencyKey: 'required',
  answers: { 201: { description: 'The refund', schema: RefundView } },
  problems: ['payments.illegal_state', 'payments.stripe_unavailable', 'payments.rejected_by_stripe', 'payments.refund_exceeds_captured'],
});
