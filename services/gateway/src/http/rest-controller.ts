import { Controller, Get, Inject, Post, Req, Res, type Type } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { HttpReply } from '@tidegate/contracts/rpc/http-reply';
import type { RouteRequest } from '@tidegate/contracts/rpc/routes';
import { currentCorrelationId } from '@tidegate/telemetry/correlation';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from './authentication.js';
import { checkRequest } from './checked-request.js';
import type { Endpoint } from './endpoint.js';
import { Forwarder } from './forwarder.js';
import { Hold } from '../hold/hold.js';

/** The Nest controller of one endpoint: check, forward, answer. */
export function restController(endpoint: Endpoint): Type {
  const path = endpoint.path.replace(/\{(\w+)\}/g, ':$1');
  const Route = endpoint.method === 'GET' ? Get : Post;

  @Controller()
  class RestController {
    constructor(
      @Inject(Forwarder) private readonly forwarder: Forwarder,
      @Inject(Hold) private readonly hold: Hold,
    ) {}

    @Route(path)
    @RouteConfig({ endpoint })
    async handle(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
      const caller = callerOf(request);
      const params = request.params as Record<string, string>;
      const checked = checkRequest(endpoint, { url: request.url, headers: request.headers, params, body: request.body });
      const asked: RouteRequest = {
        tenant: caller.tenant,
        actor: caller.actor,
        request_id: request.id,
        correlation_id: currentCorrelationId() ?? request.id,
        route: `${endpoint.method} ${filled(endpoint.path, checked.params)}`,
        params: checked.params,
        query: checked.query,
        idempotency_key: checked.idempotencyKey,
        respond_async: checked.respondAsync,
        livemode: caller.livemode,
        body: checked.body,
      };
      await this.hold.pass(endpoint);
      const { rpc } = endpoint;
      send(reply, await (typeof rpc === 'string' ? this.forwarder.forward(rpc, asked) : this.forwarder.gather(rpc, asked)));
    }
  }
  Object.defineProperty(RestController, 'name', { value: `${endpoint.id}Controller` });
  return RestController;
}

function filled(path: string, params: Readonly<Record<string, string>>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => params[name] ?? '');
}

/** The owner's bytes, untouched. */
export function send(reply: FastifyReply, answer: HttpReply): void {
  void reply
    .code(answer.status)
    .headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...answer.headers, 'content-type': answer.content_type })
    .send(Buffer.from(answer.body, answer.encoding));
}
