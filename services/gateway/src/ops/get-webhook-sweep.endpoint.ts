import { SWEEP_ID, SweepView } from '@tidegate/contracts/ops/webhook-sweeps';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';

export const getWebhookSweep = defineEndpoint({
  id: 'getWebhookSweep',
  method: 'GET',
  path: '/v1/ops/webhook-sweeps/{id}',
  tag: 'Operations',
  summary: 'See how far a sweep is that was ordered, and what it found',
  scope: 'ops',
  rpc: RPC.operatorSweepGet,
  params: { id: z.string().regex(SWEEP_ID) },
  idempotencyKey: 'none',
  answers: { 200: { description: 'The sweep', schema: SweepView } },
  problems: [],
});
