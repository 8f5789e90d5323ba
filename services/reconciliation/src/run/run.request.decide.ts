import { CreateRunBody } from '@tidegate/contracts/requests';
import { DiscrepancyClass, DiscrepancyState, RunTrigger } from '@tidegate/contracts/responses';
import { z } from 'zod';

/** The body of POST /v1/reconciliation/runs with what only this service knows of it. */
export const RunRequest = CreateRunBody.extend({ classes: z.array(DiscrepancyClass).min(1).optional() }).refine(
  (body) => body.start_date <= body.end_date,
  {
    path: ['end_date'],
    message: 'is before start_date',
  },
);
export type RunRequest = z.infer<typeof RunRequest>;

const limit = z
  .string()
  .regex(/^\d{1,3}$/)
  .transform(Number)
  .refine((value) => value >= 1 && value <= 100, '1 to 100')
  .default(20);

/** Query of GET /v1/reconciliation/runs; the cursor names the last run of the page before. */
export const RunListQuery = z.strictObject({
  limit,
  status: z.enum(['running', 'succeeded', 'failed']).optional(),
  trigger: RunTrigger.optional(),
  cursor: z
    .string()
    .max(200)
    .transform((text, context) => {
      const [, ms, id] = /^(\d{1,15})\/(rec_[A-Za-z0-9]{8,64})$/.exec(decoded(text)) ?? [];
      if (ms !== undefined && id !== undefined) return { created_at: new Date(Number(ms)), run_id: id };
      context.addIssue({ code: 'custom', message: 'not a cursor of this list' });
      return z.NEVER;
    })
    .optional(),
});

const rowQuery = {
  class: DiscrepancyClass.optional(),
  state: DiscrepancyState.optional(),
  cursor: z
    .string()
    .max(20)
    .transform(decoded)
    .refine((text) => /^\d{1,9}$/.test(text), 'not a cursor of this list')
    .transform(Number)
    .default(0),
};

/** Query of GET /v1/reconciliation/runs/{id}/discrepancies; the cursor is the number of the last row of the page before. */
export const DiscrepancyListQuery = z.strictObject({ limit, ...rowQuery });

/** Rows of CSV in one answer; about a third of what a message of the broker may hold. */
const MOST_CSV_ROWS = 1000;

/** Query of GET /v1/reconciliation/runs/{id}/discrepancies.csv. */
export const DiscrepancyCsvQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,4}$/)
    .transform(Number)
    .refine((value) => value >= 1 && value <= MOST_CSV_ROWS, `1 to ${MOST_CSV_ROWS}`)
    .default(MOST_CSV_ROWS),
  ...rowQuery,
});

export const runCursor = (run: { created_at: Date; run_id: string }): string => encoded(`${run.created_at.getTime()}/${run.run_id}`);
export const discrepancyCursor = (number: number): string => encoded(String(number));

function encoded(text: string): string {
  return Buffer.from(text).toString('base64url');
}

function decoded(text: string): string {
  return Buffer.from(text, 'base64url').toString();
}
