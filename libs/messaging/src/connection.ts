import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type NatsConnection, type NodeConnectionOptions, usernamePasswordAuthenticator } from '@nats-io/transport-node';
import { type Logger } from '@tidegate/telemetry/logger';
import { type Broker, BrokerAway } from './broker.js';
import { inboxPrefixOf, LAPTOP_TOPOLOGY, type TopologyOptions } from './topology.js';
import { within } from './within.js';

export { type Broker, BrokerAway } from './broker.js';

export interface BrokerOptions {
  /**
   * `nats://host:port`, several separated by commas; may carry `user:password@`. A function is asked for the password at each new connection: it may have
   * changed. The rest stays as at the start.
   */
  servers: string | (() => string);
  user?: string;
  pass?: string;
  /** Shown by the server; unique per process. */
  name: string;
  /** Whose permissions and inbox prefix apply; the NATS user's name by default. */
  service?: string;
  logger: Logger;
  topology?: Partial<TopologyOptions>;
}

const RECONNECT_WAIT_MS = 250;
const CONNECT_TIMEOUT_MS = 5_000;
const PING_INTERVAL_MS = 10_000;
const PING_TIMEOUT_MS = 2_000;
const DRAIN_TIMEOUT_MS = 5_000;

/** A broker connection that is tried for ever, from now on. Never throws because the broker is away: see `connected`. */
export async function connectBroker(options: BrokerOptions): Promise<Broker> {
  return new NatsBroker(options);
}

class NatsBroker implements Broker {
  readonly service: string;
  readonly topology: TopologyOptions;
  readonly logger: Logger;
  private readonly events = new EventEmitter().setMaxListeners(0);
  private readonly first: Promise<NatsConnection>;
  private nc: NatsConnection | null = null;
  private up = false;
  private readonly closing = new AbortController();

  constructor(private readonly options: BrokerOptions) {
    const { servers, user } = withoutCredentials(options);
    this.service = options.service ?? user ?? options.name;
    this.topology = { ...LAPTOP_TOPOLOGY, ...options.topology };
    this.logger = options.logger;
    this.first = this.connectAtLast({
      servers,
      ...(user === undefined
        ? {}
        : {
            authenticator: usernamePasswordAuthenticator(
              () => withoutCredentials(options).user ?? '',
              () => withoutCredentials(options).pass ?? '',
            ),
          }),
      name: options.name,
      inboxPrefix: inboxPrefixOf(this.service),
      maxReconnectAttempts: -1,
      // A server that comes up with its users a moment later must not end the connection for good.
      ignoreAuthErrorAbort: true,
      reconnectTimeWait: RECONNECT_WAIT_MS,
      timeout: CONNECT_TIMEOUT_MS,
      pingInterval: PING_INTERVAL_MS,
      maxPingOut: 2,
      noAsyncTraces: true,
    });
    this.first.catch(() => undefined);
  }

  /** The client's own way of waiting for the first connection cannot be given up. */
  private async connectAtLast(settings: NodeConnectionOptions): Promise<NatsConnection> {
    for (let attempt = 1; !this.draining; attempt += 1) {
      try {
        const nc = await connect(settings);
        this.established(nc);
        return nc;
      } catch (err) {
        if (attempt % 40 === 1)
          this.logger.warn({ event: 'broker_awaited', attempt, err }, 'The broker cannot be reached; trying again for ever');
        await delay(RECONNECT_WAIT_MS, undefined, { signal: this.closing.signal }).catch(() => undefined);
      }
    }
    throw new BrokerAway('The broker connection was closed');
  }

  get connected(): boolean {
    return this.up;
  }

  async connection(): Promise<NatsConnection> {
    if (this.draining) throw new BrokerAway('The broker connection was closed');
    const nc = await this.first;
    if (!this.up) await new Promise<void>((resolve) => this.events.once('settled', resolve));
    if (this.draining) throw new BrokerAway('The broker connection was closed');
    return nc;
  }

  onConnected(listener: () => void): () => void {
    this.events.on('connected', listener);
    if (this.up) queueMicrotask(listener);
    return () => this.events.off('connected', listener);
  }

  onDisconnected(listener: () => void): () => void {
    this.events.on('disconnected', listener);
    return () => this.events.off('disconnected', listener);
  }

  async ping(timeoutMs = PING_TIMEOUT_MS): Promise<void> {
    if (!this.up || !this.nc) throw new BrokerAway();
    await within(timeoutMs, this.nc.flush(), () => new BrokerAway(`The broker gave no answer within ${timeoutMs} ms`));
  }

  async drain(): Promise<void> {
    if (this.draining) return;
    this.closing.abort();
    this.events.emit('settled');
    if (!this.nc || this.nc.isClosed()) return;
    const nc = this.nc;
    const goodbye = this.up ? nc.drain() : nc.close();
    await within(DRAIN_TIMEOUT_MS, goodbye, () => new Error('drain took too long')).catch(() => nc.close());
    this.up = false;
  }

  private get draining(): boolean {
    return this.closing.signal.aborted;
  }

  private established(nc: NatsConnection): void {
    this.nc = nc;
    if (this.draining) return void nc.close();
    void this.follow(nc);
    this.cameUp();
  }

  private async follow(nc: NatsConnection): Promise<void> {
    for await (const status of nc.status()) {
      if (status.type === 'disconnect') this.wentDown();
      if (status.type === 'reconnect') this.cameUp();
      if (status.type === 'error') this.logger.warn({ event: 'broker_error', err: status.error }, 'The broker refused something');
    }
  }

  private cameUp(): void {
    this.up = true;
    this.logger.info(
      { event: 'broker_connected', server: this.nc?.getServer(), version: this.nc?.info?.version },
      'Connected to the broker',
    );
    this.events.emit('settled');
    this.events.emit('connected');
  }

  private wentDown(): void {
    this.up = false;
    if (!this.draining) this.logger.warn({ event: 'broker_disconnected' }, 'Lost the broker; trying again for ever');
    this.events.emit('disconnected');
  }
}

function withoutCredentials(options: BrokerOptions): { servers: string[]; user: string | undefined; pass: string | undefined } {
  let { user, pass } = options;
  const given = typeof options.servers === 'string' ? options.servers : options.servers();
  const servers = given.split(',').map((server) => {
    const url = new URL(server.trim().includes('://') ? server.trim() : `nats://${server.trim()}`);
    user ??= url.username === '' ? undefined : decodeURIComponent(url.username);
    pass ??= url.password === '' ? undefined : decodeURIComponent(url.password);
    return url.host;
  });
  return { servers, user, pass };
}
