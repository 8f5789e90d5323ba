import { OutboxStatusView } from '@tidegate/contracts/ops/outbox-status';
import { defineEndpoint } from '../http/endpoint.js';
import { HERE } from '../http/here.js';

export const getOutboxStatus = defineEndpoint({
  id: 'getOutboxStatus',
  method: 'GET',
  path: '/v1/ops/outbox',
  tag: 'Operations',
  summary: 'See how far each service is with publishing what it has committed',
  scope: 'ops',
  rpc: HERE.outboxStatus,
  params: {},
  idempotencyKey: 'none',
  answers: { 200: { description: 'Every service that answered, and those that did not', schema: OutboxStatusView } },
  problems: [],
});
