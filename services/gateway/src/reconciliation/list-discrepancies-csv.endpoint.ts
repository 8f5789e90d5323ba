import { RunId } from '@tidegate/contracts/ids';
import { DiscrepancyClass, DiscrepancyState } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { paging } from '../http/list-query.js';

export const listDiscrepanciesCsv = defineEndpoint({
  id: 'listDiscrepanciesCsv',
  method: 'GET',
  path: '/v1/reconciliation/runs/{id}/discrepancies.csv',
  tag: 'Reconciliation',
  summary: 'See what a run found, as CSV',
  description:
    'Up to 1,000 rows; where there are more, the header `Tidegate-Next-Cursor` names the next page, which has no line of names. Cells that a spreadsheet would take for a formula begin with an apostrophe.',
  scope: 'reconciliation:read',
  rpc: RPC.runDiscrepanciesCsv,
  params: { id: RunId },
  query: z.strictObject({
    class: DiscrepancyClass.optional(),
    state: DiscrepancyState.optional(),
    cursor: paging.cursor,
    limit: z
      .string()
      .regex(/^([1-9]\d{0,2}|1000)$/, 'must be a whole number from 1 to 1000')
      .optional()
      .describe('Rows per page'),
  }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of discrepancies', contentType: 'text/csv' } },
  problems: [],
});
