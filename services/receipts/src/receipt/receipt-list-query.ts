import { z } from 'zod';
import type { Page } from './receipt.store.js';

const Query = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'must be a whole number')
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= 100, 'must be from 1 to 100')
    .default(20),
  cursor: z
    .string()
    .regex(/^rcp_[A-Za-z0-9]{8,64}$/, 'must be the next_cursor of the page before')
    .optional(),
});

/** The page that `?limit=&cursor=` asks for, or what is wrong with it. */
export function receiptListQuery(query: Record<string, string>): Page | { faults: { path: string; message: string }[] } {
  const parsed = Query.safeParse(query);
  if (!parsed.success) return { faults: parsed.error.issues.map((issue) => ({ path: issue.path.join('.') || 'query', message: issue.message })) };
  return { limit: parsed.data.limit, after: parsed.data.cursor ?? null };
}
