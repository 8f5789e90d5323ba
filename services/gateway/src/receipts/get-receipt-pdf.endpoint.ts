import { ReceiptId } from '@tidegate/contracts/ids';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const getReceiptPdf = defineEndpoint({
  id: 'getReceiptPdf',
  method: 'GET',
  path: '/v1/receipts/{id}/pdf',
  tag: 'Receipts',
  summary: 'Fetch the PDF of a receipt',
  description: 'The same bytes each time. 404 until it is rendered, some moments after the payment succeeded.',
  scope: 'receipts:read',
  rpc: RPC.receiptPdf,
  params: { id: ReceiptId },
  idempotencyKey: 'none',
  answers: { 200: { description: 'The PDF', contentType: 'application/pdf' } },
  problems: [],
});
