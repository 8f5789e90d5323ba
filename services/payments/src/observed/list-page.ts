import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { type RouteRequest } from '@tidegate/contracts/rpc/routes';
import { type z } from 'zod';
import { type Cursor, decodeCursor } from '../payment/list-cursor.js';
import { problemReply } from '../payment/payment.reply.js';

/** The page of a list that a request asks for, newest first. */
export interface PageAsked {
  limit: number;
  after: Cursor | null;
}

const DEFAULT_LIMIT = 20;

/** `ids` is the shape of the ids of this list. Answers the refusal of a cursor that is none of its. */
export function pageAsked({ query, request_id }: RouteRequest, ids: z.ZodType): { page: PageAsked } | { refused: HttpReply } {
  const limit = Math.min(100, Math.max(1, Number(query['limit'] ?? DEFAULT_LIMIT) || DEFAULT_LIMIT));
  const { cursor } = query;
  const after = cursor === undefined ? null : decodeCursor(cursor, ids);
  if (cursor === undefined || after) return { page: { limit, after } };
  const errors = [{ path: 'cursor', message: 'is not a cursor of this list' }];
  return { refused: problemReply('validation.failed', 'The query is not valid.', request_id, { errors }) };
}
