import { z } from 'zod';

/**
 * What every published event carries around its data. `aggregate_version` counts the published events of one aggregate;
 * `occurred_at` is RFC 3339 UTC; `traceparent` is W3C Trace Context, null when the event was not caused inside a trace. `replay_of` is there when an operator
 * has the event published once more: the id that it was published under first. Whoever handled that one has nothing to do.
 */
export const envelopeOf = <T extends z.ZodType>(data: T) =>
  z.object({
    id: z.uuid(),
    type: z.string(),
    version: z.int().positive(),
    tenant: z.string(),
    account: z.string().nullable(),
    aggregate: z.object({ id: z.string(), version: z.int().nonnegative() }),
    occurred_at: z.iso.datetime(),
    correlation_id: z.string(),
    causation_id: z.string().nullable(),
    traceparent: z.string().nullable(),
    replay_of: z.uuid().optional().describe('Only of a replay: the id that the same event was published under first.'),
    data,
  });

export interface Envelope<T = unknown> {
  id: string;
  type: string;
  version: number;
  tenant: string;
  account: string | null;
  aggregate: { id: string; version: number };
  occurred_at: string;
  correlation_id: string;
  causation_id: string | null;
  traceparent: string | null;
  replay_of?: string;
  data: T;
}

/** One published message: its subject, the schema of its data, and an example that the schema accepts. */
export interface EventContract<T = unknown> {
  subject: string;
  version: number;
  doc: string;
  data: z.ZodType<T>;
  example: T;
}

export const defineEvent = <T>(contract: EventContract<T>): EventContract<T> => contract;
