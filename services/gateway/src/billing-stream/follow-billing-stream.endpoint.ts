import { z } from 'zod';
import { STREAM_TOKEN } from '../api-key/key-format.js';
import { defineEndpoint } from '../http/endpoint.js';
import { BILLING_STREAM } from '../http/here.js';
import { HEARTBEAT_FORMS } from './event-frame.js';
import { EVENT_ID } from './event-id.js';

export const followBillingStream = defineEndpoint({
  id: 'followBillingStream',
  method: 'GET',
  path: '/v1/billing/stream',
  tag: 'Billing stream',
  summary: 'Follow what happens, as server-sent events',
  description:
    'Every event that payments publishes for the tenant, in order, from now on or from behind `Last-Event-ID`: `id` is `epoch:position`, `event` the type of the contract, `data` its JSON. Connections end when they are some minutes old; come back with the last id and nothing is missed or doubled. The event `reset` says that what you missed cannot be given any more (another epoch after a restore, or below the floor of the outbox): read the state over the API, then go on. Lines that begin with a colon keep the connection alive, and an id comes with them: a client for which nothing happened goes on from there.',
  scope: 'billing:stream',
  rpc: BILLING_STREAM,
  params: {},
  query: z.strictObject({
    last_event_id: z
      .string()
      .regex(EVENT_ID, 'must be the id of an event, epoch:position')
      .optional()
      .describe('The same as the header `Last-Event-ID`, for clients that cannot set it; the header goes first'),
    heartbeats: z
      .enum(HEARTBEAT_FORMS)
      .optional()
      .describe(
        '`event`: beside the comment, each has an event `here` with the data `{}`, by which a script in a page hears how far it is',
      ),
    token: z
      .string()
      .regex(STREAM_TOKEN, 'must be a stream token')
      .optional()
      .describe('A stream token, in the place of the header `Authorization`'),
  }),
  idempotencyKey: 'none',
  eventStream: true,
  answers: { 200: { description: 'The stream', schema: z.string(), contentType: 'text/event-stream' } },
  problems: ['not_found'],
});
