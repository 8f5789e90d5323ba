import { type WebSocket } from 'ws';
import { type PostResult } from '../webhooks/post.js';

interface Waiting {
  readonly acknowledge: () => void;
  readonly settle: (result: PostResult) => void;
}

/**
 * The websocket of one `stripe listen`. Every frame is acknowledged by an `event_ack`; an event that the CLI forwards is answered
 * by a `webhook_response` with the status of the forward.
 */
export class Connection {
  private readonly waiting = new Map<string, Waiting>();

  constructor(
    private readonly socket: WebSocket,
    private readonly timeoutMs: number,
  ) {
    socket.on('message', (data: Buffer) => this.hear(String(data)));
    socket.on('close', () => this.settleAll('the CLI went away'));
    socket.on('error', () => socket.terminate());
  }

  /**
   * Sends the frames of one attempt; their ids begin with `key`. Resolves with the status of the forward, with 200 once an event that
   * is not forwarded is acknowledged (also when the CLI's own filter drops it), or with an error. Never rejects.
   */
  send(key: string, frames: readonly object[], forwarded: boolean): Promise<PostResult> {
    return new Promise((resolve) => {
      let acknowledged = false;
      const settle = (result: PostResult): void => {
        clearTimeout(deadline);
        this.waiting.delete(key);
        resolve(result);
      };
      const deadline = setTimeout(() => settle(acknowledged ? { status: 200 } : { error: 'timed out' }), this.timeoutMs);
      deadline.unref();
      const acknowledge = (): void => {
        acknowledged = true;
        if (!forwarded) settle({ status: 200 });
      };
      this.waiting.set(key, { acknowledge, settle });
      for (const frame of frames) this.socket.send(JSON.stringify(frame));
    });
  }

  close(): void {
    this.settleAll('the simulator stopped');
    this.socket.terminate();
  }

  private hear(text: string): void {
    const message = parse(text);
    const key = String(message['webhook_id'] ?? '').split('.')[0] ?? '';
    const waiting = this.waiting.get(key);
    if (waiting === undefined) return;
    if (message['type'] === 'webhook_response') waiting.settle({ status: Number(message['status']) || 599 });
    if (message['type'] === 'event_ack') waiting.acknowledge();
  }

  private settleAll(error: string): void {
    for (const { settle } of [...this.waiting.values()]) settle({ error });
  }
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
