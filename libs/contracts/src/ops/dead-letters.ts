import { z } from 'zod';
import { type Owner, STREAM_OF_OWNER } from '../subjects.js';
import { Reason } from './reason.js';

export const DEAD_LETTER_OWNERS = Object.keys(STREAM_OF_OWNER) as Owner[];

/** `dl_<consumer>_<key>`; the consumer begins with its service and has no underscore. */
export const DEAD_LETTER_ID = /^dl_[A-Za-z0-9_-]{8,200}$/;

export const deadLetterId = (consumer: string, key: string): string => `dl_${consumer}_${key}`;

/** Null for what no service can have given out. */
export function readDeadLetterId(id: string): { service: Owner; consumer: string; key: string } | null {
  const [, consumer = '', key = ''] = /^dl_([a-z]+(?:-[a-z]+)*)_([A-Za-z0-9_-]{1,150})$/.exec(id) ?? [];
  const service = ownerOfConsumer(consumer);
  return service ? { service, consumer, key } : null;
}

/** `<service>-<purpose>`. */
export const ownerOfConsumer = (consumer: string): Owner | undefined =>
  DEAD_LETTER_OWNERS.find((owner) => consumer.startsWith(`${owner}-`));

/** Work that was set aside: `dead` messages hold what came after them for the same aggregate; `parked` work waits alone. */
export const DeadLetterView = z.object({
  id: z.string(),
  object: z.literal('dead_letter'),
  kind: z.enum(['dead', 'parked']),
  service: z.enum(DEAD_LETTER_OWNERS),
  consumer: z.string(),
  /** Of the message; for parked work the kind of thing that is parked. */
  subject: z.string(),
  aggregate: z.string(),
  reason: z.string(),
  attempts: z.int(),
  /** When it failed first. */
  at: z.iso.datetime(),
});
export type DeadLetterView = z.infer<typeof DeadLetterView>;

export const DeadLetterDetail = DeadLetterView.extend({
  /** The message without secrets; null where there is none. */
  payload: z.unknown(),
  /** What waits behind it, in order. */
  behind: z.object({
    count: z.int(),
    first: z.array(z.object({ message_id: z.string(), subject: z.string(), stored_at: z.iso.datetime() })),
  }),
});
export type DeadLetterDetail = z.infer<typeof DeadLetterDetail>;

/** What one service answers; the gateway makes one list of all. */
export const DeadLetterPage = z.object({ data: z.array(DeadLetterView), has_more: z.boolean() });
export type DeadLetterPage = z.infer<typeof DeadLetterPage>;

export const DeadLetterList = DeadLetterPage.extend({
  next_cursor: z.string().nullable(),
  /** Services that gave no answer: what they set aside is missing here. */
  unavailable: z.array(z.string()),
});
export type DeadLetterList = z.infer<typeof DeadLetterList>;

export const DeadLetterFilter = z.strictObject({
  ids: z.array(z.string().regex(DEAD_LETTER_ID)).min(1).max(100).optional(),
  service: z.enum(DEAD_LETTER_OWNERS).optional(),
  consumer: z
    .string()
    .regex(/^[a-z][a-z-]{1,79}$/)
    .optional(),
  /** A part of the reason. */
  reason: z
    .string()
    .regex(/^\S.{0,199}$/)
    .optional(),
});
export type DeadLetterFilter = z.infer<typeof DeadLetterFilter>;

/** An empty filter means all of them. */
export const ChangeDeadLettersBody = z.strictObject({
  filter: DeadLetterFilter,
  reason: Reason,
  dry_run: z.boolean().optional(),
});
export type ChangeDeadLettersBody = z.infer<typeof ChangeDeadLettersBody>;

const NotChanged = z.object({ id: z.string(), why: z.enum(['gone', 'cannot_be_discarded']) });

export const DeadLettersChanged = z.object({
  object: z.literal('dead_letters_changed'),
  dry_run: z.boolean(),
  /** How many the filter means. */
  matched: z.int(),
  /** How many were changed by this request. */
  changed: z.int(),
  /** Of those that matched, some were not tried: ask again. */
  more: z.boolean(),
  /** Those that were changed or, in a preview, would be; a hundred per service. */
  ids: z.array(z.string()),
  /** `gone`: someone else was faster. */
  refused: z.array(NotChanged),
  /** Ids of the filter under which there is nothing. */
  not_found: z.array(z.string()),
  unavailable: z.array(z.string()),
});
export type DeadLettersChanged = z.infer<typeof DeadLettersChanged>;
