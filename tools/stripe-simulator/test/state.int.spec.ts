import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startSimulator } from '../src/simulator.js';
import { KEY, PAY, eventually, givenSimulator, sdk } from './given.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stripe-simulator-'));
});
const running: Awaited<ReturnType<typeof startSimulator>>[] = [];
afterEach(async () => {
  await rm(folder, { recursive: true });
  for (const one of running.splice(0)) expect(one.world.selfCheck?.faults).toEqual([]);
});

async function started(options: Parameters<typeof startSimulator>[0]) {
  const simulator = await startSimulator({ ...options, selfCheck: true });
  running.push(simulator);
  return simulator;
}

describe('When a simulator with a state file is started again', () => {
  it('still knows objects, keys, the clock and unfinished deliveries', async () => {
    const stateFile = join(folder, 'state.json');
    const first = await givenSimulator({ stateFile, balanceDelayMs: 3_600_000, deliverySchedule: [3_600_000] });
    first.receiver.answerWith = () => 503;
    first.simulator.advanceClock(100);
    const key = { idempotencyKey: 'kept' };
    const intent = await first.stripe.paymentIntents.create(PAY, key);
    await eventually(() => first.simulator.world.deliveries.all().length === 3);
    await first.end();

    const second = await givenSimulator({ stateFile, balanceDelayMs: 3_600_000, deliverySchedule: [3_600_000] });
    expect((await second.stripe.paymentIntents.create(PAY, key)).id).toBe(intent.id);
    expect((await second.stripe.paymentIntents.create(PAY)).id).not.toBe(intent.id);
    expect((await second.stripe.events.list()).data).toHaveLength(6);
    expect(second.simulator.world.clock.offsetSeconds()).toBe(100);
    expect(second.simulator.world.deliveries.unfinished().length).toBeGreaterThanOrEqual(3);
    second.simulator.advanceClock(3601);
    const charge = await second.stripe.charges.retrieve(intent.latest_charge as string);
    expect(charge.balance_transaction).toMatch(/^txn_/);
    expect(await readdir(folder)).toEqual(['state.json']);
    await second.end();
  });

  it('keeps the id of a given endpoint that moved, and makes no id twice', async () => {
    const stateFile = join(folder, 'state.json');
    const at = (url: string) => ({ apiKeys: [KEY], seed: 1, stateFile, webhooks: [{ url, secrets: ['whsec_moved'] }] });
    const first = await started(at('http://127.0.0.1:9/a'));
    const [before] = (await sdk(first).webhookEndpoints.list()).data;
    const customer = await sdk(first).customers.create({});
    await first.close();
    const second = await started(at('http://127.0.0.1:9/b'));
    expect((await sdk(second).webhookEndpoints.list()).data).toMatchObject([{ id: before!.id, url: 'http://127.0.0.1:9/b' }]);
    expect(second.world.deliveries.unfinished()).toHaveLength(1);
    const ids = new Set([customer.id]);
    for (let i = 0; i < 50; i += 1) ids.add((await sdk(second).customers.create({})).id);
    expect(ids.size).toBe(51);
    await second.close();
    const third = await started({ apiKeys: [KEY], stateFile });
    expect((await sdk(third).webhookEndpoints.list()).data).toEqual([]);
    await third.close();
  });

  it('keeps the state of a killed one as far as it was written', async () => {
    const stateFile = join(folder, 'state.json');
    const simulator = await started({ apiKeys: [KEY], stateFile });
    await sdk(simulator).customers.create({});
    await eventually(async () => (await readdir(folder)).includes('state.json'));
    const copy = await started({ apiKeys: [KEY], stateFile });
    expect((await sdk(copy).customers.list()).data).toHaveLength(1);
    await copy.close();
    await simulator.close();
  });

  it('says so when the file is not a state', async () => {
    const stateFile = join(folder, 'state.json');
    await writeFile(stateFile, '{}');
    await expect(startSimulator({ stateFile })).rejects.toThrow('is not a state file of this simulator');
  });
});
