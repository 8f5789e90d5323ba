import { HttpReply } from '@tidegate/contracts/rpc/http-reply';
import type { RouteRequest, RpcSubject } from '@tidegate/contracts/rpc/routes';
import { RpcTimeout, RpcUnavailable } from '@tidegate/messaging/rpc';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Gathered } from './endpoint.js';
import type { Here } from './here.js';
import { ProblemError } from './problem-error.js';

/** The part of the RPC client that is needed here. */
export interface Rpc {
  request<T>(subject: string, payload: unknown, options: { deadline: number; timeoutMs: number }): Promise<T>;
}

const RETRY_SOON = { 'retry-after': '1' };

/** Asks the owner of the data and hands back its answer as it is. */
export class Forwarder {
  constructor(
    private readonly rpc: Rpc,
    private readonly logger: Logger,
    /** Longer than it takes the owner, who answers with what he knows by then. */
    private readonly answerMs: number,
    /** What the gateway answers itself; such a route works while the broker is away. */
    private readonly here: Here = {},
  ) {}

  /** Throws a ProblemError with status 503 when there is no answer; the outcome is then unknown to the caller. */
  async forward(subject: string, request: RouteRequest): Promise<HttpReply> {
    const own = this.here[subject as keyof Here];
    try {
      if (own) return await own(request);
      const reply = await this.rpc.request<unknown>(subject, request, { deadline: Date.now() + this.answerMs, timeoutMs: this.answerMs });
      return HttpReply.parse(reply);
    } catch (error) {
      if (error instanceof ProblemError) throw error;
      throw this.#explained(subject, error);
    }
  }

  /** Asks several owners at once. One that is away is told to `merge` as null; when all are, throws as `forward` does. */
  async gather(gathered: Gathered, request: RouteRequest): Promise<HttpReply> {
    const { ask, request: asked, merge } = gathered.plan(request);
    const settled = await Promise.allSettled(ask.map((subject) => this.forward(subject, asked)));
    const answers = settled.map((one, i) => ({ subject: ask[i] as RpcSubject, reply: one.status === 'fulfilled' ? one.value : null }));
    const failure = settled.find((one) => one.status === 'rejected');
    if (failure && answers.every(({ reply }) => reply === null)) throw failure.reason;
    return merge(answers);
  }

  #explained(subject: string, error: unknown): ProblemError {
    this.logger.warn({ event: 'rpc_failed', subject, err: error }, 'The owner of the data gave no answer');
    if (error instanceof RpcUnavailable) {
      return new ProblemError(
        'service.unavailable',
        'The service behind this route is away; nothing was done. Try again with the same key.',
        { headers: RETRY_SOON },
      );
    }
    if (error instanceof RpcTimeout)
      return new ProblemError('service.timeout', 'No answer in time: the outcome is unknown. Try again with the same key.', {
        headers: RETRY_SOON,
      });
    return new ProblemError(
      'service.unavailable',
      'The service behind this route failed: the outcome is unknown. Try again with the same key.',
      { headers: RETRY_SOON },
    );
  }
}
