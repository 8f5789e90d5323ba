import { type ProblemCode, problemOf } from '@tidegate/contracts/problem';
import { untraced } from '@tidegate/service-host/http-context';
import type { Logger } from '@tidegate/telemetry/logger';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ReceiveDelivery, Receipt } from './receive.flow.js';

export const WEBHOOK_PATH = '/webhooks/stripe';
/** Stripe's largest events are some tens of KiB. */
export const MAX_BODY_BYTES = 256 * 1024;

const RECEIVED = JSON.stringify({ received: true });

export interface WebhookRouteParts {
  receiver: Pick<ReceiveDelivery, 'receive'>;
  logger: Logger;
}

/**
 * `POST /webhooks/stripe`, in a scope of its own because the signature needs the raw bytes. Answers 200 {received: true}, or a problem: 400 bad
 * signature or malformed, 405, 413, 415, and 503 when the event could not be stored. Never another 5xx: to Stripe they all mean "again".
 */
export function webhookRoute(app: FastifyInstance, { receiver, logger }: WebhookRouteParts): void {
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('application/json', { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES }, (_request, body, done) =>
      done(null, body),
    );
    scope.addHook('onRequest', (request, reply, done) => {
      if (refuseUnread(request, reply) === undefined) done();
    });
    scope.setErrorHandler<FastifyError>((error, request, reply) => {
      const code = problemOfError(error);
      if (code === 'service.unavailable') logger.error({ event: 'webhook_failed', err: error }, 'A delivery failed');
      return answer(request, reply, code);
    });
    scope.all(WEBHOOK_PATH, { bodyLimit: MAX_BODY_BYTES }, async (request, reply) => {
      if (!Buffer.isBuffer(request.body)) return answer(request, reply, 'body.unsupported_media_type');
      const raw = request.body;
      const signature = request.headers['stripe-signature'];
      const receipt = await receiver.receive({ raw, signature: typeof signature === 'string' ? signature : undefined });
      if (receipt.kind === 'bad_signature') untraced(request);
      const code = problemOfReceipt(receipt);
      return code === null ? reply.code(200).type('application/json; charset=utf-8').send(RECEIVED) : answer(request, reply, code);
    });
  });
}

/** What can be refused before the body is read. */
function refuseUnread(request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
  if (request.method !== 'POST') return answer(request, reply.header('allow', 'POST'), 'method_not_allowed');
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') return answer(request, reply, 'body.unsupported_media_type');
  return undefined;
}

function problemOfReceipt(receipt: Receipt): ProblemCode | null {
  switch (receipt.kind) {
    case 'stored':
      return null;
    case 'bad_signature':
      return 'webhook.signature_invalid';
    case 'malformed':
      return 'body.malformed';
    case 'unavailable':
      return 'service.unavailable';
  }
}

function problemOfError(error: FastifyError): ProblemCode {
  if (error.statusCode === 413) return 'body.too_large';
  if (error.statusCode === 415) return 'body.unsupported_media_type';
  return error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500 ? 'body.malformed' : 'service.unavailable';
}

/** Without detail: whoever sends rubbish learns nothing of why it failed. */
function answer(request: FastifyRequest, reply: FastifyReply, code: ProblemCode): FastifyReply {
  const problem = problemOf(code, '', request.id);
  if (problem.status >= 500) void reply.header('retry-after', '1');
  return reply.code(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}
