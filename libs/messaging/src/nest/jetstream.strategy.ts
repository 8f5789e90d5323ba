import { type CustomTransportStrategy, Server } from '@nestjs/microservices';
import { type Transaction } from 'kysely';
import { isObservable, lastValueFrom } from 'rxjs';
import { type Broker } from '../broker.js';
import { type Handler, type Incoming } from '../incoming.js';
import { type RpcContext, type RpcServer, serveRpc } from '../rpc.js';
import { type Subscriber } from '../subscriber.js';

export interface JetStreamStrategyOptions {
  broker: Broker;
  /** Queue group of the request/reply subjects. */
  service: string;
  /** Makes the subscriber of a durable, with the service's database, logger and so on, around a handler. */
  subscriber(durable: string, handler: Handler): Subscriber;
}

/** Second argument (`@Ctx()`) of an event handler. */
export interface EventContext {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's transaction
  tx: Transaction<any>;
  message: Incoming;
}

/**
 * Nest at the edge of messaging: `@MessagePattern(<rpc subject>)` answers requests in the service's queue group (context RpcContext),
 * `@EventPattern(<durable>)` handles the messages of a durable (payload the envelope, context EventContext) in the transaction that marks each done.
 * Verdicts are the errors of incoming.ts; add KeepErrorsFilter so that Nest does not replace them.
 */
export class JetStreamStrategy extends Server implements CustomTransportStrategy {
  private readonly servers: RpcServer[] = [];
  private readonly subscribers: Subscriber[] = [];
  private closing: Promise<void> | undefined;

  constructor(private readonly options: JetStreamStrategyOptions) {
    super();
  }

  listen(callback: (...parameters: unknown[]) => unknown): void {
    void this.begin().then(
      () => callback(),
      (error: unknown) => callback(error),
    );
  }

  /** Stops pulling and taking requests, and waits for what is in hand. The connection is left to its owner, who drains it last. */
  async close(): Promise<void> {
    this.closing ??= Promise.all([...this.subscribers, ...this.servers].map((one) => one.stop())).then(() => undefined);
    await this.closing;
  }

  on(): void {
    throw new Error('The JetStream strategy has no events of its own; see Broker.onConnected');
  }

  unwrap<T>(): T {
    return this.options.broker as T;
  }

  private async begin(): Promise<void> {
    for (const [pattern, handler] of this.messageHandlers) {
      if (handler.isEventHandler) {
        const subscriber = this.options.subscriber(pattern, {
          handle: (tx, message) => settled(handler(message.envelope, { tx, message } satisfies EventContext)) as Promise<void>,
        });
        this.subscribers.push(subscriber);
        await subscriber.start();
      } else {
        this.servers.push(
          serveRpc(this.options.broker, pattern, this.options.service, (request, context: RpcContext) =>
            settled(handler(request, context)),
          ),
        );
      }
    }
  }
}

/** Nest's handlers answer with a promise, a stream, or a promise of one. */
async function settled(result: unknown): Promise<unknown> {
  const value = await result;
  return isObservable(value) ? lastValueFrom(value, { defaultValue: undefined }) : value;
}
