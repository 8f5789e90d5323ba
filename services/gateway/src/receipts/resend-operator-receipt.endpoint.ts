import { ReceiptId } from '@tidegate/contracts/ids';
import { ReasonBody } from '@tidegate/contracts/ops/reason';
import { OperatorReceiptView } from '@tidegate/contracts/ops/receipts';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const resendOperatorReceipt = defineEndpoint({
  id: 'resendOperatorReceipt',
  method: 'POST',
  path: '/v1/ops/receipts/{id}/resend',
  tag: 'Operations',
  summary: 'Mail any receipt once more',
  description:
    'To the address that is known of the payer; a document is mailed once by itself, and once more for each resend. 409 while one is going out; 422 when there is no mail server, no address, or the credit note was voided.',
  scope: 'ops',
  rpc: RPC.operatorReceiptResend,
  params: { id: ReceiptId },
  body: ReasonBody,
  idempotencyKey: 'none',
  answers: { 202: { description: 'It is mailed soon', schema: OperatorReceiptView } },
  problems: ['receipts.mail_off', 'receipts.mail_under_way', 'receipts.no_address', 'receipts.voided'],
});
