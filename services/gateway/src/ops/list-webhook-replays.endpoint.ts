import { ReplayView } from '@tidegate/contracts/ops/webhook-events';
import { listOf } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { paging } from '../http/list-query.js';

export const listWebhookReplays = defineEndpoint({
  id: 'listWebhookReplays',
  method: 'GET',
  path: '/v1/ops/webhook-replays',
  tag: 'Operations',
  summary: 'List the replays of webhook events, newest first',
  scope: 'ops',
  rpc: RPC.operatorReplayList,
  params: {},
  query: z.strictObject(paging),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of replays', schema: listOf(ReplayView) } },
  problems: [],
});
