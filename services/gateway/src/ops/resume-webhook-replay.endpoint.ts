import { ReasonBody } from '@tidegate/contracts/ops/reason';
import { REPLAY_ID, ReplayView } from '@tidegate/contracts/ops/webhook-events';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';

export const resumeWebhookReplay = defineEndpoint({
  id: 'resumeWebhookReplay',
  method: 'POST',
  path: '/v1/ops/webhook-replays/{id}/resume',
  tag: 'Operations',
  summary: 'Go on with a replay that was stopped, behind the last event that it took',
  scope: 'ops',
  rpc: RPC.operatorReplayResume,
  params: { id: z.string().regex(REPLAY_ID) },
  body: ReasonBody,
  idempotencyKey: 'none',
  answers: { 200: { description: 'How it stands', schema: ReplayView } },
  problems: ['operations.illegal_state'],
});
