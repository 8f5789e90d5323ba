import { CreateEventReplayBody, EventReplayView } from '@tidegate/contracts/ops/event-replays';
import { defineEndpoint } from '../http/endpoint.js';
import { created } from './event-replays.gather.js';

export const createEventReplay = defineEndpoint({
  id: 'createEventReplay',
  method: 'POST',
  path: '/v1/ops/event-replays',
  tag: 'Operations',
  summary: "Make a consumer's tables anew from its events",
  description:
    'The events are read from JetStream, and from the outbox of their owner where the stream no longer reaches, into tables beside the live ones, which go on. Both are compared after exactly the same events. With `dry_run` it stops there (`ready`), nothing is changed, and the differences can be looked at and swapped in for an hour; without it the rows that differ are replaced in one transaction. It goes on in the background, whatever becomes of a process. A consumer that fills no tables of this kind is refused with the reason.',
  scope: 'ops',
  rpc: created,
  params: {},
  body: CreateEventReplayBody,
  idempotencyKey: 'none',
  answers: { 201: { description: 'The replay, begun', schema: EventReplayView } },
  problems: ['not_found', 'operations.illegal_state'],
});
