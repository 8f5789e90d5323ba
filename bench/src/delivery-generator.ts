import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type Delivered, type Order } from './delivery-load.js';

/** A load generator in a process of its own; one order at a time. */
export class DeliveryGenerator {
  private readonly child = fork(new URL('./delivery-load.js', import.meta.url));

  /** Rejects when the generator ends before it has an answer. */
  async run(order: Order): Promise<Delivered> {
    const settled = new AbortController();
    const ended = once(this.child, 'exit', settled).then(([code]) => Promise.reject(new Error(`The load generator ended with ${code}`)));
    this.child.send(order);
    try {
      const [delivered] = (await Promise.race([once(this.child, 'message', settled), ended])) as [Delivered];
      return delivered;
    } finally {
      settled.abort();
      ended.catch(() => undefined);
    }
  }

  stop(): void {
    this.child.kill('SIGTERM');
  }
}
