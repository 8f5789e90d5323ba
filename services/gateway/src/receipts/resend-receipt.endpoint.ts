import { ReceiptId } from '@tidegate/contracts/ids';
import { ReasonBody } from '@tidegate/contracts/ops/reason';
import { ReceiptView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const resendReceipt = defineEndpoint({
  id: 'resendReceipt',
  method: 'POST',
  path: '/v1/receipts/{id}/resend',
  tag: 'Receipts',
  summary: 'Mail a receipt once more',
  description:
    'To the address that is known of the payer; a document is mailed once by itself, and once more for each resend. 409 while one is going out; 422 when there is no mail server, no address, or the credit note was voided.',
  scope: 'receipts:write',
  rpc: RPC.receiptResend,
  params: { id: ReceiptId },
  body: ReasonBody,
  idempotencyKey: 'none',
  answers: { 202: { description: 'It is mailed soon', schema: ReceiptView } },
  problems: ['receipts.mail_off', 'receipts.mail_under_way', 'receipts.no_address', 'receipts.voided'],
});
