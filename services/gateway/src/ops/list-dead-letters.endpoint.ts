import { DeadLetterFilter, DeadLetterList } from '@tidegate/contracts/ops/dead-letters';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { paging } from '../http/list-query.js';
import { listed } from './dead-letters.gather.js';

const { service, consumer, reason } = DeadLetterFilter.shape;

export const listDeadLetters = defineEndpoint({
  id: 'listDeadLetters',
  method: 'GET',
  path: '/v1/ops/dead-letters',
  tag: 'Operations',
  summary: 'List what was set aside, oldest first',
  description:
    'Messages that failed for good hold what came after them for the same payment; parked work waits alone. Each service is asked for its own; `unavailable` names those that gave no answer.',
  scope: 'ops',
  rpc: listed,
  params: {},
  query: z.strictObject({ service, consumer, reason: reason.describe('A part of the reason'), ...paging }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of what was set aside', schema: DeadLetterList } },
  problems: [],
});
