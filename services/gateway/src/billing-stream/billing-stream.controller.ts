import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { Place } from '@tidegate/messaging/position-header';
import { answeredWith } from '@tidegate/service-host/http-context';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from '../http/authentication.js';
import { checkRequest } from '../http/checked-request.js';
import { ProblemError } from '../http/problem-error.js';
import type { BillingStream } from './billing-stream.js';
import { followBillingStream } from './follow-billing-stream.endpoint.js';
import { parseEventId } from './event-id.js';
import { refused, switchedOff } from './refused.js';

/** The BillingStream; null while it is switched off. */
export const STREAM = Symbol('BillingStream');

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  'x-content-type-options': 'nosniff',
  // nginx would collect events until it has a page full of them.
  'x-accel-buffering': 'no',
  // Nothing follows on this connection: once the stream has ended the process that stops need not wait for it.
  connection: 'close',
};

/** `GET /v1/billing/stream`: check, let in, and leave the connection to the stream. */
@Controller()
export class BillingStreamController {
  constructor(@Inject(STREAM) private readonly stream: BillingStream | null) {}

  @Get(followBillingStream.path)
  @RouteConfig({ endpoint: followBillingStream })
  follow(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    const caller = callerOf(request);
    const { query } = checkRequest(followBillingStream, { url: request.url, headers: request.headers, params: {}, body: undefined });
    const lastSeen = lastSeenBy(request.headers['last-event-id'], query['last_event_id']);
    const stream = this.openTo(caller.tenant);
    if (request.method === 'HEAD') return void reply.headers(HEADERS).send();
    reply.hijack();
    reply.raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...HEADERS });
    answeredWith(request, 200, reply.elapsedTime);
    stream.open(reply.raw, { caller, lastSeen, heartbeats: query['heartbeats'] === 'event' ? 'event' : 'comment' });
  }

  private openTo(tenant: string): BillingStream {
    if (!this.stream) throw switchedOff();
    const refusal = this.stream.refusalOf(tenant);
    if (refusal !== null) throw refused(refusal);
    return this.stream;
  }
}

/** A browser that reconnects by itself repeats the URL of its first time, with the newer id in the header. */
function lastSeenBy(header: string | string[] | undefined, query: string | undefined): Place | null {
  const text = (typeof header === 'string' && header !== '' ? header : undefined) ?? query;
  if (text === undefined) return null;
  const place = parseEventId(text);
  if (!place) throw new ProblemError('validation.failed', 'The Last-Event-ID is none of this stream: it must be epoch:position.');
  return place;
}
