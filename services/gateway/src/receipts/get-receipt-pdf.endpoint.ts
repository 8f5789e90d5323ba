import { ReceiptId } from '@tidegate/contracts/ids';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const getReceiptPdf = defineEndpoint({
  id: 'getReceiptPdf',
  method: 'GET',
  path: '/v1/receipts/{id}/pdf',
  tag: 'Receipts',
  summary: 'Fetch the PDF of a receipt',
  description:
    'The same bytes each time. Made on the spot when it is not there yet; 503 with Retry-After when that fails now. 404 until the receipt has its number, some moments after the payment succeeded.',
  scope: 'receipts:read',
  rpc: RPC.receiptPdf,
  params: { id: ReceiptId },
  idempotencyKey: 'none',
  answers: { 200: { description: 'The PDF', contentType: 'application/pdf' } },
  problems: [],
});
