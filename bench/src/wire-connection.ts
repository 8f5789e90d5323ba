import { connect, type Socket } from 'node:net';

/**
 * One keep-alive HTTP/1.1 connection, one request at a time, for answers with a Content-Length: as little work as a client can do, because it shares
 * two cores with what it measures.
 */
export class WireConnection {
  private answer = '';
  private waiting: { answered(status: number): void; lost(error: Error): void } | null = null;

  private constructor(private readonly socket: Socket) {
    socket.setNoDelay(true).setEncoding('latin1');
    socket.on('data', (text) => this.read(String(text)));
    socket.on('error', (error) => this.waiting?.lost(error));
    socket.on('close', () => this.waiting?.lost(new Error('The connection was closed before the answer')));
  }

  static open(url: string): Promise<WireConnection> {
    const { hostname, port } = new URL(url);
    return new Promise((opened, failed) => {
      const socket = connect(Number(port), hostname, () => {
        socket.off('error', failed);
        opened(new WireConnection(socket));
      }).on('error', failed);
    });
  }

  /** Writes the request and resolves with the status of its answer. */
  send(request: Buffer): Promise<number> {
    return new Promise((answered, lost) => {
      this.waiting = { answered, lost };
      this.socket.write(request);
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private read(text: string): void {
    this.answer += text;
    const head = this.answer.indexOf('\r\n\r\n');
    if (head < 0) return;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(this.answer)?.[1]);
    if (this.answer.length < head + 4 + length) return;
    const status = Number(this.answer.slice(9, 12));
    this.answer = '';
    const { waiting } = this;
    this.waiting = null;
    waiting?.answered(status);
  }
}
