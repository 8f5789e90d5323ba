import { Agent, request } from 'undici';

export interface Target {
  url: string;
  headers: Record<string, string>;
}

export interface Round {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  failed: number;
}

let keys = 0;
/** Whether an answer is the one that is measured; others count as failed. */
type Expected = (status: number, headers: Record<string, unknown>, body: { status?: unknown }) => boolean;
const isPaid: Expected = (status, _, body) => status === 201 && body.status === 'succeeded';

const pay = async (target: Target, agent: Agent, expected: Expected): Promise<boolean> => {
  const answer = await request(`${target.url}/v1/payments`, {
    method: 'POST',
    dispatcher: agent,
    headers: { 'content-type': 'application/json', 'idempotency-key': `bench-${process.pid}-${keys++}`, ...target.headers },
    body: JSON.stringify({ amount: 4200, currency: 'usd', payment_method: 'pm_card_visa' }),
  });
  return expected(answer.statusCode, answer.headers, (await answer.body.json()) as { status?: unknown });
};

/** Of values in ascending order; `p` from 0 to 1. */
export const percentile = (sorted: ArrayLike<number>, p: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN;

/** Payments one after another on each of `connections` connections, for `seconds`. */
export async function saturate(target: Target, connections: number, seconds: number, expected: Expected = isPaid): Promise<Round> {
  const agent = new Agent({ connections });
  const took: number[] = [];
  let failed = 0;
  const startedAt = performance.now();
  const until = startedAt + seconds * 1_000;
  const worker = async (): Promise<void> => {
    while (performance.now() < until) {
      const sentAt = performance.now();
      if (await pay(target, agent, expected)) took.push(performance.now() - sentAt);
      else failed++;
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  return summary(took, failed, (performance.now() - startedAt) / 1_000, agent);
}

/** Payments at a fixed rate, whatever the answers do; latency counts from the moment a payment was due. */
export async function atRate(target: Target, perSecond: number, seconds: number): Promise<Round> {
  const agent = new Agent({ connections: 64 });
  const took: number[] = [];
  let failed = 0;
  const startedAt = performance.now();
  const all: Promise<void>[] = [];
  for (let i = 0; i < perSecond * seconds; i++) {
    const due = startedAt + (i * 1_000) / perSecond;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    all.push(
      pay(target, agent, isPaid).then((ok) => {
        if (ok) took.push(performance.now() - due);
        else failed++;
      }),
    );
  }
  await Promise.all(all);
  return summary(took, failed, seconds, agent);
}

async function summary(took: number[], failed: number, seconds: number, agent: Agent): Promise<Round> {
  await agent.close();
  took.sort((a, b) => a - b);
  return { perSecond: took.length / seconds, p50Ms: percentile(took, 0.5), p99Ms: percentile(took, 0.99), failed };
}

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
