import { z } from 'zod';
import { ownerOfConsumer } from './dead-letters.js';
import { Reason } from './reason.js';

/** `evr_<consumer>_<key>`; the consumer begins with its service and has no underscore. */
export const EVENT_REPLAY_ID = /^evr_[a-z0-9_-]{8,150}$/;

export const eventReplayId = (consumer: string, key: string): string => `evr_${consumer}_${key.replaceAll('-', '')}`;

/** Null for what no service can have given out. */
export function readEventReplayId(id: string): { service: NonNullable<ReturnType<typeof ownerOfConsumer>>; key: string } | null {
  const [, consumer = '', key = ''] = /^evr_([a-z]+(?:-[a-z]+)*)_([0-9a-f]{32})$/.exec(id) ?? [];
  const service = ownerOfConsumer(consumer);
  return service ? { service, key: key.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') } : null;
}

/** A durable, `<service>-<purpose>`. */
export const ConsumerName = z.string().regex(/^[a-z][a-z-]{1,79}$/, 'must be <service>-<purpose>');

/** Where a replay begins: an RFC 3339 time of the events, or a position of the consumer's stream. */
export const ReplayFrom = z
  .union([z.iso.datetime({ offset: true }), z.string().regex(/^[1-9]\d{0,14}$/)])
  .describe('An RFC 3339 time, or a position of the stream; everything if absent');

export const CreateEventReplayBody = z.strictObject({
  consumer: ConsumerName,
  /** Only what events from here on have touched is replayed, from its own first event, and compared. */
  from: ReplayFrom.optional(),
  /** True: it stops at `ready`, with the differences to be looked at, and waits for an hour to be swapped in. */
  dry_run: z.boolean().optional(),
  reason: Reason,
});
export type CreateEventReplayBody = z.infer<typeof CreateEventReplayBody>;

/**
 * `queued` (nobody is at it yet), `running` (it fills the tables beside the live ones), `ready` (compared, nothing changed), `swapping`,
 * `stopping`; then it ends as `done` (the differing rows were replaced), `stopped` (by a person, or another one took its place), `failed` (see `failure`;
 * nothing was changed), or `expired` (nobody swapped it in).
 */
export const EVENT_REPLAY_STATUSES = [
  'queued',
  'running',
  'ready',
  'swapping',
  'stopping',
  'done',
  'stopped',
  'failed',
  'expired',
] as const;

/** Rows that the live tables lack, have too many, or have with other values than the replayed events say. */
export const DifferenceCounts = z.object({ missing: z.int(), extra: z.int(), different: z.int() });
export type DifferenceCounts = z.infer<typeof DifferenceCounts>;

export const EventReplayView = z.object({
  id: z.string(),
  object: z.literal('event_replay'),
  consumer: z.string(),
  /** All that fill the same tables; they are replayed together. */
  consumers: z.array(z.string()),
  tables: z.array(z.string()),
  from: z.string().nullable(),
  status: z.enum(EVENT_REPLAY_STATUSES),
  /** Messages: to replay, read so far, handled so far. */
  progress: z.object({ total: z.int(), read: z.int(), handled: z.int() }),
  /** Null until they were compared. */
  differences: DifferenceCounts.nullable(),
  failure: z.string().nullable(),
  actor: z.string(),
  reason: z.string(),
  requested_at: z.iso.datetime(),
  finished_at: z.iso.datetime().nullable(),
});
export type EventReplayView = z.infer<typeof EventReplayView>;

export const RowDifference = z.object({
  table: z.string(),
  key: z.record(z.string(), z.unknown()),
  kind: z.enum(['missing', 'extra', 'different']),
  /** Of a row that is different only the columns in which it is; null where there is no row. */
  live: z.record(z.string(), z.unknown()).nullable(),
  replayed: z.record(z.string(), z.unknown()).nullable(),
});
export type RowDifference = z.infer<typeof RowDifference>;

export const EventReplayDetail = EventReplayView.extend({
  /** In order of table and key; the first thousand. */
  rows: z.array(RowDifference),
});
export type EventReplayDetail = z.infer<typeof EventReplayDetail>;

/** What one service answers, newest first; the gateway makes one list of all. */
export const EventReplayPage = z.object({ data: z.array(EventReplayView), has_more: z.boolean() });
export type EventReplayPage = z.infer<typeof EventReplayPage>;

export const EventReplayList = EventReplayPage.extend({
  next_cursor: z.string().nullable(),
  /** Services that gave no answer: their replays are missing here. */
  unavailable: z.array(z.string()),
});
export type EventReplayList = z.infer<typeof EventReplayList>;
