import { REPLAY_ID } from '@tidegate/contracts/ops/webhook-events';
import { z } from 'zod';

interface Place {
  orderedAt: Date;
  id: string;
}

export const replayCursor = (last: { ordered_at: Date; id: string }): string =>
  Buffer.from(`${last.ordered_at.getTime()}/${last.id}`).toString('base64url');

/** Query of GET /v1/ops/webhook-replays. */
export const ReplayListQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,3}$/)
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= 100, '1 to 100')
    .default(20),
  cursor: z
    .string()
    .max(500)
    .transform((text, context): Place => {
      const [, ms, id] = /^(\d{1,15})\/(rpl_\w+)$/.exec(Buffer.from(text, 'base64url').toString()) ?? [];
      if (ms !== undefined && id !== undefined && REPLAY_ID.test(id)) return { orderedAt: new Date(Number(ms)), id };
      context.addIssue({ code: 'custom', message: 'not a cursor of this list' });
      return z.NEVER;
    })
    .optional(),
});
