import { PaymentId } from '@tidegate/contracts/ids';
import { CapturePaymentBody } from '@tidegate/contracts/requests';
import { PaymentView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const capturePayment = defineEndpoint({
  id: 'capturePayment',
  method: 'POST',
  path: '/v1/payments/{id}/capture',
  tag: 'Payments',
  summary: 'Capture an authorized payment, whole or in part',
  scope: 'payments:write',
  rpc: RPC.paymentCapture,
  params: { id: PaymentId },
  body: CapturePaymentBody,
  idempotencyKey: 'required',
  answers: { 200: { description: 'The payment', schema: PaymentView } },
  problems: ['payments.illegal_state', 'payments.stripe_unavailable', 'payments.rejected_by_stripe', 'payments.capture_exceeds_authorized'],
});
