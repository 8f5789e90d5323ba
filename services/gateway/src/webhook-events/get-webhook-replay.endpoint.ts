import { REPLAY_ID, ReplayView } from '@tidegate/contracts/ops/webhook-events';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';

export const getWebhookReplay = defineEndpoint({
  id: 'getWebhookReplay',
  method: 'GET',
  path: '/v1/webhook-replays/{id}',
  tag: 'Webhook events',
  summary: 'See how far a replay is',
  scope: 'webhooks:read',
  rpc: RPC.webhookReplayGet,
  params: { id: z.string().regex(REPLAY_ID) },
  idempotencyKey: 'none',
  answers: { 200: { description: 'The replay', schema: ReplayView } },
  problems: [],
});
