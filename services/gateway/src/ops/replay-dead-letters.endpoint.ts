import { ChangeDeadLettersBody, DeadLettersChanged } from '@tidegate/contracts/ops/dead-letters';
import { defineEndpoint } from '../http/endpoint.js';
import { changed } from './dead-letters.gather.js';

export const replayDeadLetters = defineEndpoint({
  id: 'replayDeadLetters',
  method: 'POST',
  path: '/v1/ops/dead-letters/replay',
  tag: 'Operations',
  summary: 'Run again what was set aside',
  description:
    'Each message starts from its first attempt, and what waits behind it follows in order. An empty filter means all of them; with `dry_run` nothing changes. At most 1,000 per service and request; `more` says that some are left.',
  scope: 'ops',
  rpc: changed('replay'),
  params: {},
  body: ChangeDeadLettersBody,
  idempotencyKey: 'none',
  answers: { 200: { description: 'What was done, or would be', schema: DeadLettersChanged } },
  problems: ['not_found'],
});
