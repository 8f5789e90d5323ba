import { RecordUsageBody, RecordUsageView } from '@tidegate/contracts/usage';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const recordUsage = defineEndpoint({
  id: 'recordUsage',
  method: 'POST',
  path: '/v1/usage-events',
  tag: 'Usage',
  summary: 'Send usage, up to 1,000 events at once',
  description:
    'Every event has its own answer; when this is answered, the accepted ones are stored for good. Send everything again when there was no answer: an event counts ' +
    'once, by its own `id`. What is accepted is reported to the billing meter of that name at Stripe, whenever Stripe can be reached. Usage of a customer who is not ' +
    'known yet is kept (`parked`) and counted once he is.',
  scope: 'usage:write',
  rpc: RPC.usageRecord,
  params: {},
  body: RecordUsageBody,
  bodyLimit: 512 * 1024,
  idempotencyKey: 'none',
  answers: { 200: { description: 'What became of each event', schema: RecordUsageView } },
  problems: [],
});
