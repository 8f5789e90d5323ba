import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import { type RouteRequest, RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { currentCorrelationId } from '@tidegate/telemetry/correlation';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Forwarder } from '../http/forwarder.js';
import { ProblemError } from '../http/problem-error.js';
import { send } from '../http/rest-controller.js';

/** What a signed link or the code on a document may look like; anything else is nothing, and nobody is asked. */
const TOKEN = /^[A-Za-z0-9_.-]{10,200}$/;

/** `/r/{token}` and `/verify/{token}`: for whoever has the link or the document, without a key. */
@Controller()
export class PublicReceiptsController {
  constructor(@Inject(Forwarder) private readonly forwarder: Forwarder) {}

  @Get('/r/:token')
  link(@Param('token') token: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.answer(RPC.receiptLink, token, request, reply);
  }

  @Get('/verify/:token')
  verification(@Param('token') token: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.answer(RPC.receiptVerification, token, request, reply);
  }

  private async answer(subject: RpcSubject, token: string, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    if (!TOKEN.test(token)) throw new ProblemError('not_found', 'There is nothing under this link.');
    send(reply, await this.forwarder.forward(subject, publicRequest(request, token)));
  }
}

/** Nobody's tenant: the token says what may be seen. */
function publicRequest({ id }: FastifyRequest, token: string): RouteRequest {
  return {
    tenant: '',
    actor: 'public',
    request_id: id,
    correlation_id: currentCorrelationId() ?? id,
    route: 'GET /r',
    params: { token },
    query: {},
    idempotency_key: null,
    respond_async: false,
    livemode: false,
    body: null,
  };
}
