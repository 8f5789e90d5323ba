import { type IncomingMessage, type RequestListener, type Server, createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type Duplex } from 'node:stream';

const BACKLOG = 1024;
const KEEP_ALIVE_MS = 60_000;

/** The listening socket: one port for the whole life, which may be closed for a while to simulate an outage. */
export class Listener {
  private readonly server: Server;
  private outage: NodeJS.Timeout | undefined;
  private closed = false;
  private port = 0;

  constructor(
    private readonly host: string,
    onRequest: RequestListener,
    onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void,
  ) {
    this.server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, onRequest);
    this.server.on('upgrade', onUpgrade);
    this.server.on('clientError', (_error, socket) => socket.destroy());
  }

  /** Resolves with the port; rejects when it is taken. */
  async open(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, this.host, BACKLOG, () => {
        this.server.off('error', reject);
        resolve();
      });
    });
    this.port = (this.server.address() as AddressInfo).port;
    return this.port;
  }

  /** Drops every connection and refuses new ones for a time, after the current answers have left. */
  refuse(durationMs: number): void {
    clearTimeout(this.outage);
    setImmediate(() => {
      this.stopListening();
      this.outage = setTimeout(() => {
        if (!this.closed) void this.open(this.port);
      }, durationMs);
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.outage);
    await new Promise<void>((resolve) => this.stopListening(resolve));
  }

  private stopListening(done: () => void = () => undefined): void {
    this.server.close(() => done());
    this.server.closeAllConnections();
  }
}
