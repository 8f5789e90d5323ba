import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { type Problem, type ProblemCode, problemOf } from '@tidegate/contracts/problem';
import type { Logger } from '@tidegate/telemetry/logger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { allowedMethods } from './allowed-methods.js';
import { ProblemError } from './problem-error.js';

/** Everything that is thrown on the way to an answer becomes a problem document. Only what we wrote ourselves is shown. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  answer(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const problem = asProblem(error, request);
    if (problem.code === 'internal')
      this.logger.error({ event: 'request_failed', err: error, request_id: request.id }, 'Bug: a request failed');
    const document: Problem = problemOf(problem.code, problem.detail, request.id, problem.more.errors);
    void reply
      .code(document.status)
      .headers({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'x-request-id': request.id,
        ...problem.more.headers,
        'content-type': 'application/problem+json',
      })
      .send(Buffer.from(JSON.stringify(document)));
  }
}

/** What Fastify and Nest throw by themselves. */
const KNOWN_ERRORS: Readonly<Record<string, { code: ProblemCode; detail: string }>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'body.too_large', detail: 'The body is larger than this route takes.' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { code: 'body.unsupported_media_type', detail: 'Send the body as application/json.' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { code: 'body.malformed', detail: 'The body is not as long as its Content-Length says.' },
  FST_ERR_CTP_EMPTY_TYPE: { code: 'body.unsupported_media_type', detail: 'Send the body as application/json.' },
  FST_ERR_BAD_URL: { code: 'validation.failed', detail: 'The URL is not valid.' },
  FST_ERR_MAX_PARAM_LENGTH: { code: 'not_found', detail: 'There is nothing under this id.' },
};

function asProblem(error: unknown, request: FastifyRequest): ProblemError {
  if (error instanceof ProblemError) return error;
  const known = KNOWN_ERRORS[codeOf(error)];
  if (known) return new ProblemError(known.code, known.detail);
  const status = error instanceof HttpException ? error.getStatus() : (error as { statusCode?: unknown }).statusCode;
  if (status === 404) return unmatched(request);
  if (status === 413) return new ProblemError('body.too_large', 'The body is larger than this route takes.');
  if (status === 415) return new ProblemError('body.unsupported_media_type', 'Send the body as application/json.');
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new ProblemError('validation.failed', 'The request is not valid.');
  return new ProblemError('internal', 'Something of ours failed. Try again with the same key.');
}

function codeOf(error: unknown): string {
  const own = (error as { code?: unknown } | null)?.code;
  return typeof own === 'string' ? own : '';
}

function unmatched(request: FastifyRequest): ProblemError {
  const methods = allowedMethods(request.url.split('?')[0] ?? '');
  if (methods.length === 0) return new ProblemError('not_found', 'There is no such route.');
  return new ProblemError('method_not_allowed', `This route offers ${methods.join(', ')}.`, { headers: { allow: methods.join(', ') } });
}
