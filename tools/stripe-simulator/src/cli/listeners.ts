import { createHash } from 'node:crypto';
import { type WebSocket } from 'ws';
import { thinTypeOf } from '../events/thin.js';
import { type Target } from '../webhooks/target.js';
import { type World } from '../world.js';
import { Connection } from './connection.js';
import { snapshotFrames, thinFrames } from './frames.js';
import { type Session, THIN_SUFFIX } from './session.js';

/** The sessions of `stripe listen` and their open websockets. They live outside of the account's state: a reset keeps them. */
export class Listeners {
  private readonly sessions = new Map<string, Session>();
  private readonly connections = new Map<string, Connection>();

  /** Signs what listening CLIs get. The same for every session, as at Stripe, and repeatable from the seed. */
  readonly secret: string;

  constructor(private readonly world: World) {
    this.secret = `whsec_${createHash('sha256').update(`stripecli ${world.settings.seed}`).digest('hex')}`;
  }

  open(session: Omit<Session, 'id'>): Session {
    const opened = { ...session, id: this.world.ids.next('cliws') };
    this.sessions.set(opened.id, opened);
    return opened;
  }

  knows(id: string): boolean {
    return this.sessions.has(id);
  }

  /**
   * Takes the websocket of a known session; a second one replaces the first.
   * @internal so that the package's declarations need no types of `ws`.
   */
  connect(id: string, socket: WebSocket): void {
    const connection = new Connection(socket, this.world.settings.deliveryTimeoutMs);
    this.connections.get(id)?.close();
    this.connections.set(id, connection);
    socket.on('close', () => {
      if (this.connections.get(id) === connection) this.connections.delete(id);
    });
  }

  /** The target ids of connected CLIs that take a new event of a type. */
  wanting(type: string): string[] {
    const found: string[] = [];
    for (const id of this.connections.keys()) {
      const session = this.sessions.get(id);
      if (session?.snapshot) found.push(id);
      if (session?.thin && thinTypeOf(type) !== undefined) found.push(id + THIN_SUFFIX);
    }
    return found;
  }

  /** The target ids of connected CLIs that take thin events. */
  wantingThin(): string[] {
    return [...this.connections.keys()].filter((id) => this.sessions.get(id)?.thin).map((id) => id + THIN_SUFFIX);
  }

  target(id: string): Target | undefined {
    const thin = id.endsWith(THIN_SUFFIX);
    const session = this.sessions.get(thin ? id.slice(0, -THIN_SUFFIX.length) : id);
    const connection = session && this.connections.get(session.id);
    if (session === undefined || connection === undefined) return undefined;
    const url = thin ? session.forwardThinTo : session.forwardSnapshotTo;
    return {
      id,
      url: url ?? 'stripe listen',
      enabled: true,
      secrets: [this.secret],
      once: true,
      deliver: (record, sign) => {
        const key = this.world.ids.next('whcli');
        const frames = thin ? thinFrames(record, sign, key) : snapshotFrames(record, sign, key);
        return connection.send(key, frames, url !== null);
      },
    };
  }

  close(): void {
    for (const connection of this.connections.values()) connection.close();
    this.connections.clear();
  }
}
