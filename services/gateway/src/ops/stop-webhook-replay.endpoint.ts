import { ReasonBody } from '@tidegate/contracts/ops/reason';
import { REPLAY_ID, ReplayView } from '@tidegate/contracts/ops/webhook-events';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';

export const stopWebhookReplay = defineEndpoint({
  id: 'stopWebhookReplay',
  method: 'POST',
  path: '/v1/ops/webhook-replays/{id}/stop',
  tag: 'Operations',
  summary: 'Stop a replay: it takes no more events; those that it took are still published',
  scope: 'ops',
  rpc: RPC.operatorReplayStop,
  params: { id: z.string().regex(REPLAY_ID) },
  body: ReasonBody,
  idempotencyKey: 'none',
  answers: { 200: { description: 'How it stands', schema: ReplayView } },
  problems: ['operations.illegal_state'],
});
