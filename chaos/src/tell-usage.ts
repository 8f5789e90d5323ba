import { eventually } from '@tidegate/test-harness/eventually';
import { type Arena } from './arena.js';

export interface ToldUsage {
  id: string;
  customer: string;
  meter: string;
  value: number | string;
  /** ISO 8601. */
  at: string;
}

/** Tells usage until all of it is taken: after the simulator's clock was moved, the service hears a moment later how late it is. */
export const tellUsage = (arena: Arena, events: readonly ToldUsage[]): Promise<void> =>
  eventually(
    async () => {
      const answer = await arena.client.send({ method: 'POST', path: '/v1/usage-events', body: { events } });
      const { accepted, duplicate } = JSON.parse(answer.body) as { accepted: number; duplicate: number };
      if (answer.status !== 200 || accepted + duplicate !== events.length)
        throw new Error(`Usage was answered ${answer.status}: ${answer.body}`);
    },
    { timeoutMs: 10_000, everyMs: 250 },
  );
