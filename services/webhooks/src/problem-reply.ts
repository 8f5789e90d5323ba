import { type Problem, type ProblemCode, problemOf, PROBLEMS } from '@tidegate/contracts/problem';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import type { RouteRequest } from '@tidegate/contracts/rpc/routes';
import type { z } from 'zod';

/** A refusal with its status and code. */
export function problemReply(
  { request_id }: Pick<RouteRequest, 'request_id'>,
  code: ProblemCode,
  detail: string,
  errors?: Problem['errors'],
): HttpReply {
  return jsonReply(PROBLEMS[code].status, problemOf(code, detail, request_id, errors));
}

/** 400 with what does not fit. */
export function invalidReply(request: Pick<RouteRequest, 'request_id'>, error: z.ZodError): HttpReply {
  const errors = error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
  return problemReply(request, 'validation.failed', 'The request is not valid', errors);
}
