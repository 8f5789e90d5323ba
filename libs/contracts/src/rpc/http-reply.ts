import { z } from 'zod';

/**
 * A ready HTTP answer: the owner of the data decides status and bytes, the gateway forwards them untouched (so that a replay of an
 * idempotent request is byte-equal).
 */
export const HttpReply = z.object({
  status: z.int(),
  content_type: z.string(),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
  encoding: z.enum(['utf8', 'base64']),
});
export type HttpReply = z.infer<typeof HttpReply>;

export const jsonReply = (status: number, body: unknown, headers: Record<string, string> = {}): HttpReply => ({
  status,
  content_type: status >= 400 ? 'application/problem+json' : 'application/json',
  headers,
  body: JSON.stringify(body),
  encoding: 'utf8',
});
