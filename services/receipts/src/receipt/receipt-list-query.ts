import { z } from 'zod';
import type { ReceiptQuery } from './receipt.store.js';

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
  payment: z.string().optional(),
  kind: z.enum(['receipt', 'credit_note']).optional(),
  status: z.enum(['issued', 'rendered', 'failed']).optional(),
  tenant: z.string().optional(),
  created_gte: z.iso.datetime().optional(),
  created_lt: z.iso.datetime().optional(),
});

/** The page of receipts that a query string asks for, or what is wrong with it. */
export function receiptListQuery(
  query: Record<string, string>,
): (ReceiptQuery & { tenant?: string }) | { faults: { path: string; message: string }[] } {
  const parsed = Query.safeParse(query);
  if (!parsed.success)
    return { faults: parsed.error.issues.map((issue) => ({ path: issue.path.join('.') || 'query', message: issue.message })) };
  const { limit, cursor, payment, kind, status, tenant, created_gte, created_lt } = parsed.data;
  return {
    limit,
    after: cursor ?? null,
    ...(payment === undefined ? {} : { payment }),
    ...(kind === undefined ? {} : { kind }),
    ...(status === undefined ? {} : { status }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(created_gte === undefined ? {} : { issuedFrom: new Date(created_gte) }),
    ...(created_lt === undefined ? {} : { issuedBefore: new Date(created_lt) }),
  };
}
