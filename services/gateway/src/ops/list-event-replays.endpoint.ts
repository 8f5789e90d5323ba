import { EventReplayList } from '@tidegate/contracts/ops/event-replays';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { paging } from '../http/list-query.js';
import { listed } from './event-replays.gather.js';

export const listEventReplays = defineEndpoint({
  id: 'listEventReplays',
  method: 'GET',
  path: '/v1/ops/event-replays',
  tag: 'Operations',
  summary: 'List replays of events, newest first',
  description: 'Each service is asked for its own; `unavailable` names those that gave no answer.',
  scope: 'ops',
  rpc: listed,
  params: {},
  query: z.strictObject(paging),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of replays', schema: EventReplayList } },
  problems: [],
});
