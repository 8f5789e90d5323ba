import { percentile, type Round } from './measure.js';
import { signedDelivery } from './signed-delivery.js';
import { WireConnection } from './wire-connection.js';

/**
 * The load generator of `bench -- ingest` and `bench -- flood`, a process of its own: signed deliveries on raw sockets, each answer checked for its
 * status. What is sent is signed before the clock runs. A connection that breaks ends the process: that is no measurement.
 */
export interface Order {
  url: string;
  connections: number;
  seconds: number;
  secret: string;
  /** So many a second, whatever the answers do; absent: one after another on each connection. */
  perSecond?: number;
  /** The answer that is measured; others count as failed. */
  status: number;
  /** So many different deliveries are made, and sent again from the start when they are used up; absent: as many as can be sent, each once. */
  different?: number;
}

/** Deliveries that were answered as expected, and how fast. */
export interface Delivered extends Round {
  answered: number;
}

/** More than any peer has answered on the machine of this benchmark; beyond, they are signed while the clock runs. */
const MOST_PER_SECOND = 14_000;

process.on('message', (order: Order) => void run(order).then((delivered) => process.send?.(delivered)));

async function run(order: Order): Promise<Delivered> {
  const next = deliveries(order);
  const connections = await Promise.all(Array.from({ length: order.connections }, () => WireConnection.open(order.url)));
  const round = new Counted(order.status);
  const seconds = await (order.perSecond === undefined
    ? saturate(order, connections, next, round)
    : paced({ ...order, perSecond: order.perSecond }, connections, next, round));
  for (const connection of connections) connection.close();
  return round.summary(seconds);
}

function deliveries({ different, perSecond = MOST_PER_SECOND, seconds, secret }: Order): () => Buffer {
  const ready = Array.from({ length: different ?? Math.ceil(perSecond * seconds) }, () => signedDelivery(secret));
  let at = 0;
  return () => (different === undefined ? ready[at++] : ready[at++ % different]) ?? signedDelivery(secret);
}

async function saturate({ seconds }: Order, connections: WireConnection[], next: () => Buffer, round: Counted): Promise<number> {
  const startedAt = performance.now();
  const until = startedAt + seconds * 1_000;
  const worker = async (connection: WireConnection): Promise<void> => {
    for (let sentAt = performance.now(); sentAt < until; sentAt = performance.now()) round.count(await connection.send(next()), sentAt);
  };
  await Promise.all(connections.map(worker));
  return (performance.now() - startedAt) / 1_000;
}

/** Latency counts from the moment a delivery was due, also while it waits for a connection. */
async function paced(
  { perSecond, seconds }: Order & { perSecond: number },
  connections: WireConnection[],
  next: () => Buffer,
  round: Counted,
): Promise<number> {
  const idle = [...connections];
  const due: number[] = [];
  const work = async (connection: WireConnection): Promise<void> => {
    for (let at = due.shift(); at !== undefined; at = due.shift()) round.count(await connection.send(next()), at);
    idle.push(connection);
  };
  const startedAt = performance.now();
  const total = Math.round(perSecond * seconds);
  for (let made = 0; made < total;) {
    const now = performance.now();
    for (; made < total && startedAt + (made * 1_000) / perSecond <= now; made += 1) due.push(startedAt + (made * 1_000) / perSecond);
    while (due.length > 0 && idle.length > 0) void work(idle.pop()!);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  while (idle.length < connections.length) await new Promise((resolve) => setTimeout(resolve, 1));
  return (performance.now() - startedAt) / 1_000;
}

class Counted {
  private readonly took: number[] = [];
  private failed = 0;

  constructor(private readonly expected: number) {}

  count(status: number, since: number): void {
    if (status === this.expected) this.took.push(performance.now() - since);
    else this.failed += 1;
  }

  summary(seconds: number): Delivered {
    const sorted = Float64Array.from(this.took).sort();
    const at = (part: number): number => percentile(sorted, part);
    return { perSecond: sorted.length / seconds, answered: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), failed: this.failed };
  }
}
