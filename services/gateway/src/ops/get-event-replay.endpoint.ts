import { EVENT_REPLAY_ID, EventReplayDetail } from '@tidegate/contracts/ops/event-replays';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { named } from './event-replays.gather.js';

export const getEventReplay = defineEndpoint({
  id: 'getEventReplay',
  method: 'GET',
  path: '/v1/ops/event-replays/{id}',
  tag: 'Operations',
  summary: 'See how far a replay is, and what differed',
  scope: 'ops',
  rpc: named('get'),
  params: { id: z.string().regex(EVENT_REPLAY_ID) },
  idempotencyKey: 'none',
  answers: { 200: { description: 'The replay with the first thousand rows that differ', schema: EventReplayDetail } },
  problems: [],
});
