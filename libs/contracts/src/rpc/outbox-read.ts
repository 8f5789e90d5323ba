import { z } from 'zod';

/** `<owner>.rpc.outbox.read.v1`: rows with position > `after`, ascending, stamped ones only; a page holds at most 512 KiB. */
export const OutboxReadRequest = z.object({
  after: z.int().nonnegative(),
  limit: z.int().positive().max(1000),
  /** Asks for `inbox_ms`, too. */
  inbox: z.boolean().optional(),
});
export type OutboxReadRequest = z.infer<typeof OutboxReadRequest>;

export const OutboxReadReply = z.object({
  epoch: z.int().positive(),
  /** First position that belongs to `epoch`. */
  epoch_start: z.int().positive(),
  /** Lowest position still kept. */
  floor: z.int().positive(),
  /** Highest stamped position, 0 when none. */
  head: z.int().nonnegative(),
  /** Age of the oldest committed row that has no position yet; null when there is none. */
  unstamped_ms: z.int().nonnegative().nullable(),
  /** Age of the oldest message that the owner has stored and nobody has tried to handle; null when there is none. What it handled before is in the outbox. */
  inbox_ms: z.int().nonnegative().nullable().optional(),
  rows: z.array(
    z.object({ position: z.int().positive(), message_id: z.string(), aggregate: z.string(), subject: z.string(), body: z.string() }),
  ),
});
export type OutboxReadReply = z.infer<typeof OutboxReadReply>;
