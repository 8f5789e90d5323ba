import { ReceiptId } from '@tidegate/contracts/ids';
import { ReasonBody } from '@tidegate/contracts/ops/reason';
import { ReceiptView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const regenerateReceipt = defineEndpoint({
  id: 'regenerateReceipt',
  method: 'POST',
  path: '/v1/receipts/{id}/regenerate',
  tag: 'Receipts',
  summary: 'Make the document of a receipt anew',
  description:
    'With the template, fonts and engine of today, and with how the payment stands now: refunds and disputes show. 503 `receipts.render_failed` names what went wrong in its detail; the number stands.',
  scope: 'receipts:write',
  rpc: RPC.receiptRegenerate,
  params: { id: ReceiptId },
  body: ReasonBody,
  idempotencyKey: 'none',
  answers: { 200: { description: 'The receipt with its document of now', schema: ReceiptView } },
  problems: ['receipts.render_failed'],
});
