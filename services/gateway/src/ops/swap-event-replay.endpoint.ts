import { EVENT_REPLAY_ID, EventReplayView } from '@tidegate/contracts/ops/event-replays';
import { ReasonBody } from '@tidegate/contracts/ops/reason';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { named } from './event-replays.gather.js';

export const swapEventReplay = defineEndpoint({
  id: 'swapEventReplay',
  method: 'POST',
  path: '/v1/ops/event-replays/{id}/swap',
  tag: 'Operations',
  summary: 'Replace the rows in which a replay differs',
  description:
    'Only while it is `ready`. What came since is replayed first; who writes to the tables waits a moment, who reads them does not.',
  scope: 'ops',
  rpc: named('swap'),
  params: { id: z.string().regex(EVENT_REPLAY_ID) },
  body: ReasonBody,
  idempotencyKey: 'none',
  answers: { 202: { description: 'It is being swapped in', schema: EventReplayView } },
  problems: ['operations.illegal_state'],
});
