import { z } from 'zod';

/** Any replica answers for its service: `<owner>.rpc.outbox.status.v1`, without a request body. */
export const outboxStatusSubject = (owner: string): string => `${owner}.rpc.outbox.status.v1`;

export const OutboxStatus = z.object({
  service: z.string(),
  /** Committed messages that the broker has not confirmed. */
  unpublished: z.int(),
  /** Age of the oldest of them; 0 when there is none. */
  oldest_seconds: z.number(),
  epoch: z.int(),
  /** First position of this epoch. */
  epoch_start: z.int(),
  /** Lowest position still kept. */
  floor: z.int(),
  /** Highest position given out. */
  head: z.int(),
  /** Highest position that the broker has confirmed. */
  published: z.int(),
  /** The process that publishes; null when nobody holds the lease. */
  leader: z.string().nullable(),
});
export type OutboxStatus = z.infer<typeof OutboxStatus>;

/** Every service with an outbox, and those that did not answer; while the broker is away none does. */
export const OutboxStatusView = z.object({
  object: z.literal('outbox_status'),
  broker: z.enum(['connected', 'away']),
  data: z.array(OutboxStatus),
  silent: z.array(z.string()),
});
export type OutboxStatusView = z.infer<typeof OutboxStatusView>;
