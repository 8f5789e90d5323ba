import { DEAD_LETTER_ID, DeadLetterDetail } from '@tidegate/contracts/ops/dead-letters';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { shown } from './dead-letters.gather.js';

export const getDeadLetter = defineEndpoint({
  id: 'getDeadLetter',
  method: 'GET',
  path: '/v1/ops/dead-letters/{id}',
  tag: 'Operations',
  summary: 'See what was set aside, with its message and what waits behind it',
  scope: 'ops',
  rpc: shown,
  params: { id: z.string().regex(DEAD_LETTER_ID) },
  idempotencyKey: 'none',
  answers: { 200: { description: 'The message without secrets', schema: DeadLetterDetail } },
  problems: [],
});
