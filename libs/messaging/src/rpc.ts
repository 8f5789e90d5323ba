import { setTimeout as delay } from 'node:timers/promises';
import { errors, headers, type Msg, type MsgHdrs, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import { currentTraceparent, inSpan } from '@tidegate/telemetry/tracing';
import { type Broker } from './broker.js';
import { LateRequests } from './late-requests.js';

/** Epoch milliseconds after which nobody waits for the answer; an expired request is dropped. */
export const DEADLINE_HEADER = 'Tidegate-Deadline';
const TRACE_HEADER = 'traceparent';
const ERROR_HEADER = 'Tidegate-Error';
const DEFAULT_TIMEOUT_MS = 5_000;

/** Nobody could have received the request: no responder, or the broker is away. */
export class RpcUnavailable extends Error {
  constructor(
    readonly subject: string,
    reason: string,
  ) {
    super(`${subject}: ${reason}`);
    this.name = 'RpcUnavailable';
  }
}

/** No answer in time; the request may have taken effect. */
export class RpcTimeout extends Error {
  constructor(readonly subject: string) {
    super(`${subject}: no answer in time`);
    this.name = 'RpcTimeout';
  }
}

/** The other side's handler threw; the request may have taken effect. */
export class RpcFailed extends Error {
  constructor(
    readonly subject: string,
    reason: string,
  ) {
    super(`${subject}: ${reason}`);
    this.name = 'RpcFailed';
  }
}

export interface RpcContext {
  /** Epoch milliseconds. */
  deadline: number;
  traceparent: string | null;
  subject: string;
}

export type RpcHandler = (request: unknown, context: RpcContext) => Promise<unknown>;

export interface ServeOptions {
  /** False for housekeeping that would drown the traces. */
  traced?: boolean;
}

/** A subject being served. */
export interface RpcServer {
  readonly subject: string;
  /** Takes no more requests and waits for those in hand. */
  stop(): Promise<void>;
}

/**
 * Answers requests on a subject, sharing them with every other process in the queue group. Subscribes as soon as the broker is there. JSON both ways; a
 * handler that throws is answered with an error header; an expired request gets no answer, and is told in the log.
 */
export function serveRpc(broker: Broker, subject: string, queue: string, handler: RpcHandler, options: ServeOptions = {}): RpcServer {
  const inHand = new Set<Promise<void>>();
  const late = new LateRequests(subject, broker.logger);
  let subscription: Subscription | undefined;
  let stopped = false;

  const subscribed = broker.connection().then(
    (nc) => {
      if (stopped) return;
      subscription = nc.subscribe(subject, {
        queue,
        callback: (err, message) => {
          if (err) return;
          const answered = answer(message, handler, { late, traced: options.traced ?? true }).finally(() => inHand.delete(answered));
          inHand.add(answered);
        },
      });
    },
    () => undefined,
  );
  return {
    subject,
    async stop() {
      stopped = true;
      if (broker.connected) await subscribed;
      if (subscription && !subscription.isClosed())
        await (broker.connected ? subscription.drain().catch(() => undefined) : subscription.unsubscribe());
      await Promise.all(inHand);
    },
  };
}

async function answer(message: Msg, handler: RpcHandler, { late, traced }: { late: LateRequests; traced: boolean }): Promise<void> {
  const now = Date.now();
  const deadline = Number(message.headers?.get(DEADLINE_HEADER) || now + DEFAULT_TIMEOUT_MS);
  if (now >= deadline) return late.add(now - deadline);
  const traceparent = message.headers?.get(TRACE_HEADER) || null;
  try {
    const handle = () => handler(message.json(), { deadline, traceparent, subject: message.subject });
    const attributes = { 'rpc.system': 'nats', 'rpc.method': message.subject };
    const reply = await (traced
      ? inSpan(`serve ${message.subject}`, { kind: 'server', parent: traceparent, attributes }, handle)
      : handle());
    message.respond(JSON.stringify(reply ?? null));
  } catch (error) {
    const failed = headers();
    failed.set(ERROR_HEADER, (error instanceof Error ? error.message : String(error)).replace(/[\r\n]+/g, ' ').slice(0, 500));
    respondIfConnected(message, failed);
  }
}

/** Who asked hears by its deadline that nothing came; a connection that is closed meanwhile is no bug. */
function respondIfConnected(message: Msg, failed: MsgHdrs): void {
  try {
    message.respond('null', { headers: failed });
  } catch {
    return;
  }
}

export interface RequestOptions {
  /** Longest wait; 5 s by default. A shorter one is ours alone: the other side answers for 5 s, because its clock may be ahead. */
  timeoutMs?: number;
  /** Epoch milliseconds; the wait ends there at the latest, and the other side drops the request after it. */
  deadline?: number;
  /** False for housekeeping that would drown the traces. */
  traced?: boolean;
}

export class RpcClient {
  constructor(private readonly broker: Broker) {}

  /** One request, one answer. Throws RpcUnavailable, RpcTimeout or RpcFailed; repeats nothing. */
  async request<T>(subject: string, payload: unknown, options: RequestOptions = {}): Promise<T> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, deadline = Infinity } = options;
    const now = Date.now();
    const until = Math.min(now + timeoutMs, deadline);
    const told = Math.min(toldDeadline(now + timeoutMs), deadline);
    if (now >= until) throw new RpcTimeout(subject);
    if (!this.broker.connected) throw new RpcUnavailable(subject, 'the broker is away');
    const call = async () => parse<T>(subject, await this.send(await this.broker.connection(), subject, payload, { until, told }));
    if (options.traced === false) return call();
    return inSpan(`call ${subject}`, { kind: 'client', attributes: { 'rpc.system': 'nats', 'rpc.method': subject } }, call);
  }

  /**
   * Asks everybody who serves the subject, each in a queue of its own, and answers what came within `waitMs`, in no order. Nobody: an empty list. An answer
   * that says it failed is left out. Throws RpcUnavailable when the broker is away.
   */
  async requestAll<T>(subject: string, payload: unknown, waitMs: number): Promise<T[]> {
    if (!this.broker.connected) throw new RpcUnavailable(subject, 'the broker is away');
    const nc = await this.broker.connection();
    const context = headers();
    context.set(DEADLINE_HEADER, String(Math.ceil(toldDeadline(Date.now() + waitMs))));
    const answers: T[] = [];
    try {
      const options = { strategy: 'timer', maxWait: waitMs, headers: context } as const;
      for await (const reply of await nc.requestMany(subject, JSON.stringify(payload), options)) {
        if (!reply.headers?.get(ERROR_HEADER)) answers.push(reply.json<T>());
      }
    } catch (error) {
      const known = named(subject, error);
      if (!(known instanceof RpcUnavailable) && !(known instanceof RpcTimeout)) throw error;
    }
    return answers;
  }

  /** The deadline travels as it is: counted anew, it would move on at every hop by what the way there took. */
  private async send(
    nc: NatsConnection,
    subject: string,
    payload: unknown,
    { until, told }: { until: number; told: number },
  ): Promise<Msg> {
    const timeout = until - Date.now();
    if (timeout <= 0) throw new RpcTimeout(subject);
    const context = headers();
    context.set(DEADLINE_HEADER, String(Math.ceil(told)));
    const traceparent = currentTraceparent();
    if (traceparent) context.set(TRACE_HEADER, traceparent);
    const abandoned = new AbortController();
    const lost = new Promise<never>((_, reject) => {
      const forget = this.broker.onDisconnected(() => reject(new RpcTimeout(subject)));
      abandoned.signal.addEventListener('abort', forget);
    });
    try {
      return await Promise.race([nc.request(subject, JSON.stringify(payload), { timeout, headers: context }), lost]);
    } catch (error) {
      throw named(subject, error);
    } finally {
      abandoned.abort();
    }
  }
}

/** Where the clock of the other machine is ahead by more than we wait, it would drop each request of ours, for ever. */
const toldDeadline = (until: number): number => Math.max(until, Date.now() + DEFAULT_TIMEOUT_MS);

function parse<T>(subject: string, reply: Msg): T {
  const failure = reply.headers?.get(ERROR_HEADER);
  if (failure) throw new RpcFailed(subject, failure);
  return reply.json<T>();
}

function named(subject: string, error: unknown): unknown {
  if (error instanceof errors.TimeoutError) return new RpcTimeout(subject);
  if (error instanceof errors.NoRespondersError) return new RpcUnavailable(subject, 'nobody answers this subject');
  if (error instanceof errors.RequestError)
    return error.isNoResponders() ? new RpcUnavailable(subject, 'nobody answers this subject') : new RpcTimeout(subject);
  if (error instanceof errors.ClosedConnectionError || error instanceof errors.DrainingConnectionError)
    return new RpcUnavailable(subject, 'the broker connection was closed');
  return error;
}

/** Waits for what the other side may need to come up: repeats while the subject is not served, until the deadline. For idempotent requests only. */
export async function requestWhenServed<T>(client: RpcClient, subject: string, payload: unknown, deadline: number): Promise<T> {
  for (;;) {
    try {
      return await client.request<T>(subject, payload, { deadline });
    } catch (error) {
      if (!(error instanceof RpcUnavailable) || Date.now() + 100 >= deadline) throw error;
      await delay(100);
    }
  }
}
