import { RunId } from '@tidegate/contracts/ids';
import { DiscrepancyClass, DiscrepancyState, DiscrepancyView, listOf } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { paging } from '../http/list-query.js';

export const listDiscrepancies = defineEndpoint({
  id: 'listDiscrepancies',
  method: 'GET',
  path: '/v1/reconciliation/runs/{id}/discrepancies',
  tag: 'Reconciliation',
  summary: 'See what a run found',
  description: 'With `state=gone`, what the run before it had found and this one did not.',
  scope: 'reconciliation:read',
  rpc: RPC.runDiscrepancies,
  params: { id: RunId },
  query: z.strictObject({ class: DiscrepancyClass.optional(), state: DiscrepancyState.optional(), ...paging }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of discrepancies', schema: listOf(DiscrepancyView) } },
  problems: [],
});
