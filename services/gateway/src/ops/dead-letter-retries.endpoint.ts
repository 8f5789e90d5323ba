import { DeadLetterRetriesBody, DeadLetterRetriesView } from '@tidegate/contracts/ops/retries';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const deadLetterRetries = defineEndpoint({
  id: 'deadLetterRetries',
  method: 'POST',
  path: '/v1/ops/retries/dead-letter',
  tag: 'Operations',
  summary: 'Take the payments out of the queue that have waited too long',
  description:
    'Payments that were accepted with `Prefer: respond-async` and never sent become `canceled` with the reason `dead_lettered`, oldest first, at most 1,000 per request. A payment for which a call may have reached Stripe is never among them. With `dry_run` nothing changes and `matched` is the preview.',
  scope: 'ops',
  rpc: RPC.retryDeadLetter,
  params: {},
  body: DeadLetterRetriesBody,
  idempotencyKey: 'none',
  answers: { 200: { description: 'What was done, or would be', schema: DeadLetterRetriesView } },
  problems: [],
});
