import { ReceiptId } from '@tidegate/contracts/ids';
import { ReasonBody } from '@tidegate/contracts/ops/reason';
import { OperatorReceiptView } from '@tidegate/contracts/ops/receipts';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const regenerateOperatorReceipt = defineEndpoint({
  id: 'regenerateOperatorReceipt',
  method: 'POST',
  path: '/v1/ops/receipts/{id}/regenerate',
  tag: 'Operations',
  summary: 'Make the document of any receipt anew',
  description:
    'With the template, fonts and engine of today, and with how the payment stands now: refunds and disputes show. 503 `receipts.render_failed` names what went wrong in its detail; the number stands.',
  scope: 'ops',
  rpc: RPC.operatorReceiptRegenerate,
  params: { id: ReceiptId },
  body: ReasonBody,
  idempotencyKey: 'none',
  answers: { 200: { description: 'The receipt with its document of now', schema: OperatorReceiptView } },
  problems: ['receipts.render_failed'],
});
