import { REPLAY_ID, ReplayView } from '@tidegate/contracts/ops/webhook-events';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';

export const getOperatorReplay = defineEndpoint({
  id: 'getOperatorReplay',
  method: 'GET',
  path: '/v1/ops/webhook-replays/{id}',
  tag: 'Operations',
  summary: 'See how far a replay of webhook events is, and how its events stand',
  scope: 'ops',
  rpc: RPC.operatorReplayGet,
  params: { id: z.string().regex(REPLAY_ID) },
  idempotencyKey: 'none',
  answers: { 200: { description: 'The replay', schema: ReplayView } },
  problems: [],
});
