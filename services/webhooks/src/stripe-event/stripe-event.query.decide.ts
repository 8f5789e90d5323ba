import { z } from 'zod';

/** A row in REST lists is ordered by Stripe's time, newest first; the cursor names the last row of a page. */
export interface PageCursor {
  created: Date;
  id: string;
}

const timestamp = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

/** Query of GET /v1/webhook-events. */
export const ListQuery = z.strictObject({
  status: z.enum(['received', 'published', 'processed', 'ignored', 'foreign', 'parked', 'failed']).optional(),
  type: z.string().max(200).optional(),
  object_id: z.string().max(255).optional(),
  tenant: z.string().max(64).optional(),
  created_gte: timestamp.optional(),
  created_lt: timestamp.optional(),
  ids: z
    .string()
    .max(10_000)
    .transform((text) => text.split(',').map((id) => id.trim()))
    .refine((ids) => ids.length <= 100, 'at most 100 ids')
    .optional(),
  unhandled: z
    .literal('true')
    .transform(() => true)
    .optional(),
  limit: z
    .string()
    .regex(/^\d{1,3}$/)
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= 100, '1 to 100')
    .default(20),
  cursor: z
    .string()
    .max(500)
    .transform((text, context): PageCursor => {
      const cursor = readCursor(text);
      if (cursor) return cursor;
      context.addIssue({ code: 'custom', message: 'not a cursor of this list' });
      return z.NEVER;
    })
    .optional(),
});
export type ListQuery = z.infer<typeof ListQuery>;

export const cursorText = (cursor: PageCursor): string => Buffer.from(`${cursor.created.getTime()}/${cursor.id}`).toString('base64url');

/** Within the years that the database knows, of which there are fewer before ours. */
function readCursor(text: string): PageCursor | null {
  const [, ms, id] = /^(\d{1,15}|-\d{1,14})\/([A-Za-z0-9_]{1,255})$/.exec(Buffer.from(text, 'base64url').toString()) ?? [];
  return ms === undefined || id === undefined ? null : { created: new Date(Number(ms)), id };
}
