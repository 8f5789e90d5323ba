import { OperatorEventDetail, STRIPE_EVENT_ID } from '@tidegate/contracts/ops/webhook-events';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';

export const getOperatorEvent = defineEndpoint({
  id: 'getOperatorEvent',
  method: 'GET',
  path: '/v1/ops/webhook-events/{id}',
  tag: 'Operations',
  summary: "See one of Stripe's events, what it says, and what each consumer made of it",
  scope: 'ops',
  rpc: RPC.operatorEventGet,
  params: { id: z.string().regex(STRIPE_EVENT_ID) },
  idempotencyKey: 'none',
  answers: { 200: { description: 'The event', schema: OperatorEventDetail } },
  problems: [],
});
