import { OperatorEventView } from '@tidegate/contracts/ops/webhook-events';
import { listOf } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { eventQuery } from '../webhook-events/event-query.js';

export const listOperatorEvents = defineEndpoint({
  id: 'listOperatorEvents',
  method: 'GET',
  path: '/v1/ops/webhook-events',
  tag: 'Operations',
  summary: "List Stripe's events of all tenants, newest first",
  scope: 'ops',
  rpc: RPC.operatorEventList,
  params: {},
  query: z.strictObject({
    ...eventQuery,
    unhandled: z
      .literal('true')
      .optional()
      .describe('Only what waits to be published, or of which not every consumer has reported what it made of it'),
  }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of events', schema: listOf(OperatorEventView) } },
  problems: [],
});
