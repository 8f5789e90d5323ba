import { z } from 'zod';

/** A whole number in a query string. */
const wholeNumberText = (range: { min: number; max: number }) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(range.min).max(range.max));

/** What every list takes: at most 100 rows a page; `cursor` is the `next_cursor` of the page before. */
export const paging = {
  limit: wholeNumberText({ min: 1, max: 100 })
    .optional()
    .describe('Most rows per page; large ones may be fewer, and `has_more` says whether more follow'),
  cursor: z
    .string()
    .min(1)
    .max(500)
    .regex(/^[\x21-\x7e]+$/)
    .optional()
    .describe('`next_cursor` of the page before'),
};

/** An age in a query string. */
export const seconds = z.string().regex(/^\d{1,8}$/, 'must be a whole number of seconds');

export const createdRange = {
  created_gte: z.iso.datetime().optional().describe('Created at this time or later'),
  created_lt: z.iso.datetime().optional().describe('Created before this time'),
};
