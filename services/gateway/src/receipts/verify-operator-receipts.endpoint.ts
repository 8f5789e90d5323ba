import { ReceiptChecks } from '@tidegate/contracts/ops/receipts';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';
import { operatorReceiptQuery } from './list-operator-receipts.endpoint.js';

export const verifyOperatorReceipts = defineEndpoint({
  id: 'verifyOperatorReceipts',
  method: 'GET',
  path: '/v1/ops/receipt-checks',
  tag: 'Operations',
  summary: 'Make documents again and compare their bytes with what is on record',
  description:
    'Page by page, newest first, at most 25 to a page; changes nothing. `total` is how many receipts the whole range has. It also says how each document lies in its store.',
  scope: 'ops',
  rpc: RPC.operatorReceiptVerify,
  params: {},
  query: operatorReceiptQuery,
  idempotencyKey: 'none',
  answers: { 200: { description: 'What became of a page of them', schema: ReceiptChecks } },
  problems: [],
});
