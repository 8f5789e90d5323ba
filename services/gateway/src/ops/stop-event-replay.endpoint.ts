import { EVENT_REPLAY_ID, EventReplayView } from '@tidegate/contracts/ops/event-replays';
import { ReasonBody } from '@tidegate/contracts/ops/reason';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { named } from './event-replays.gather.js';

export const stopEventReplay = defineEndpoint({
  id: 'stopEventReplay',
  method: 'POST',
  path: '/v1/ops/event-replays/{id}/stop',
  tag: 'Operations',
  summary: 'End a replay without a change',
  description: 'The tables beside the live ones are dropped.',
  scope: 'ops',
  rpc: named('stop'),
  params: { id: z.string().regex(EVENT_REPLAY_ID) },
  body: ReasonBody,
  idempotencyKey: 'none',
  answers: { 202: { description: 'It is being stopped', schema: EventReplayView } },
  problems: ['operations.illegal_state'],
});
