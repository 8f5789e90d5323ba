import { ChangeDeadLettersBody, DeadLettersChanged } from '@tidegate/contracts/ops/dead-letters';
import { defineEndpoint } from '../http/endpoint.js';
import { changed } from './dead-letters.gather.js';

export const discardDeadLetters = defineEndpoint({
  id: 'discardDeadLetters',
  method: 'POST',
  path: '/v1/ops/dead-letters/discard',
  tag: 'Operations',
  summary: 'Give up what was set aside',
  description:
    'The message never takes effect in its consumer; what waits behind it goes on. Parked work that must be done in the end cannot be discarded. An empty filter means all of them; with `dry_run` nothing changes. At most 1,000 per service and request; `more` says that some are left.',
  scope: 'ops',
  rpc: changed('discard'),
  params: {},
  body: ChangeDeadLettersBody,
  idempotencyKey: 'none',
  answers: { 200: { description: 'What was done, or would be', schema: DeadLettersChanged } },
  problems: ['not_found'],
});
