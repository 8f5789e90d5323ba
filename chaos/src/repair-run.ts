import { randomUUID } from 'node:crypto';
import { eventually } from '@tidegate/test-harness/eventually';
import { type Arena } from './arena.js';

const DAY_MS = 86_400_000;

/** What Stripe told nobody, such as a change without an event, is found and repaired by a reconciliation run over all days of this arena, virtual ones too. */
export async function repaired({ client }: Pick<Arena, 'client'>): Promise<void> {
  const dateIn = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);
  const body = { start_date: dateIn(-1), end_date: dateIn(3), mode: 'repair', reason: 'chaos: all is calm again' };
  const ordered = await client.send({ method: 'POST', path: '/v1/reconciliation/runs', key: randomUUID(), body });
  if (ordered.status >= 300) throw new Error(`A run was ordered and answered ${ordered.status}: ${ordered.body}`);
  const { id } = JSON.parse(ordered.body) as { id: string };
  await eventually(
    async () => {
      const { status } = await client.get<{ status: string }>(`/v1/reconciliation/runs/${id}`);
      if (status !== 'succeeded') throw new Error(`The run is ${status}`);
    },
    { timeoutMs: 60_000, everyMs: 250 },
  );
}
