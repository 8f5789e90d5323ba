import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CheckoutView, PaymentView, ReceiptView } from '@tidegate/contracts/responses';
import { postgresBinaries } from '@tidegate/local-stack/postgres/binaries';
import { query } from '@tidegate/local-stack/postgres/ping';
import { PostgresCluster } from '@tidegate/local-stack/postgres/postgres-cluster';
import { removeOwnedFolder } from '@tidegate/local-stack/postgres/owned-folder';
import { unprivilegedUser } from '@tidegate/local-stack/postgres/unprivileged-user';
import { freePort } from '@tidegate/local-stack/process/free-port';
import { serviceNames } from '@tidegate/local-stack/stack/services';
import { secretsIn } from '@tidegate/local-stack/stack/secrets';
import { eventually } from '@tidegate/test-harness/eventually';
import { type Stack, stackForTests } from '@tidegate/test-harness/stack';
import { tidegate } from './console.js';

let folder: string;
let stack: Stack;
let other: PostgresCluster;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-restore-'));
  const env = { WEBHOOKS_SWEEP_SETTLE_SECONDS: '1', RECONCILIATION_QUIET_SECONDS: '0', RECONCILIATION_ROLLING_SECONDS: '0' };
  const user = unprivilegedUser();
  const binaries = await postgresBinaries(user);
  [stack, other] = await Promise.all([
    stackForTests({ env: { '*': env } }),
    PostgresCluster.prepare({
      folder: join(folder, 'postgres'),
      port: await freePort(),
      log: join(folder, 'postgres.log'),
      fsync: false,
      binaries,
    }),
  ]);
  await other.start();
  await query(other.url(), 'create database tidegate template template0');
}, 180_000);
afterAll(async () => {
  await stack?.stop();
  await other?.stop();
  removeOwnedFolder(join(folder, 'postgres'));
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

interface Answer {
  status: number;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as the route answers
  body: any;
}

async function call(method: 'GET' | 'POST', path: string, body?: unknown, key: string = randomUUID()): Promise<Answer> {
  const headers = {
    authorization: `Bearer ${stack.keys.default}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json', 'idempotency-key': key }),
  };
  const answer = await fetch(`${stack.urls.gateway[0]}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: await answer.json() };
}

const ORDER = { amount: 4200, currency: 'usd', payment_method: 'pm_card_visa' };
const pay = async (key?: string, more: object = {}): Promise<PaymentView> => {
  const { status, body } = await call('POST', '/v1/payments', { ...ORDER, ...more }, key);
  expect([status, body.status, body.detail]).toEqual([201, 'capture_method' in more ? 'authorized' : 'succeeded', undefined]);
  return body as PaymentView;
};
const PAGE = {
  line_items: [{ name: 'Ticket', quantity: 1, unit_amount: 4200 }],
  currency: 'usd',
  success_url: 'https://shop.example/thanks',
  cancel_url: 'https://shop.example/cart',
};
const openPage = async (key: string): Promise<CheckoutView> => {
  const { status, body } = await call('POST', '/v1/checkout-sessions', PAGE, key);
  expect([status, body.detail]).toEqual([201, undefined]);
  return body as CheckoutView;
};
const paidPage = async (key: string): Promise<CheckoutView> => {
  const { id, stripe_checkout_session: session } = await openPage(key);
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ session }) };
  expect((await fetch(`${stack.urls.simulator}/__dashboard/pay_checkout`, init)).status).toBe(200);
  return eventually(async () => {
    const { body } = await call('GET', `/v1/checkout-sessions/${id}`);
    expect(body).toMatchObject({ status: 'complete', payment: expect.any(String) });
    return body as CheckoutView;
  });
};
const listed = async <T>(path: string): Promise<T[]> => (await call('GET', `${path}?limit=100`)).body.data as T[];
/** The number of each payment's receipt, and of the credit notes, once all have their documents. */
const receipts = async (count: number, notes = 0): Promise<{ numbers: Map<string, string>; notes: string[] }> => {
  let found: ReceiptView[] = [];
  await eventually(
    async () => {
      found = await listed<ReceiptView>('/v1/receipts');
      expect(found.filter(({ status }) => status === 'rendered')).toHaveLength(count + notes);
    },
    { timeoutMs: 60_000 },
  );
  const of = (wanted: string) => found.filter(({ kind }) => kind === wanted);
  return {
    numbers: new Map(of('receipt').map(({ payment, number }) => [payment, number])),
    notes: of('credit_note').map(({ number }) => number),
  };
};

const pagePaid = ({ status, payment, stripe_checkout_session }: CheckoutView) => ({ status, payment, stripe_checkout_session });

const inOther = (role?: string): string => {
  const url = new URL(other.url('tidegate'));
  if (role !== undefined) [url.username, url.password] = [role, secretsIn(stack.dir).roles[role] ?? ''];
  return url.href;
};
const cli = { env: {} as Record<string, string | undefined> };

describe('After its database is lost', () => {
  it('Tidegate goes on from a backup: what came later is found at Stripe, and no receipt number is given twice', async () => {
    cli.env = { TIDEGATE_URL: stack.urls.gateway[0], TIDEGATE_API_KEY: stack.keys.default };
    const kept = [await pay(), await pay(), await pay()];
    await receipts(3);
    const backup = join(folder, 'backup');
    const made = await tidegate(`backup create --to ${backup} --json`, { env: { DATABASE_URL: stack.databaseUrl() } });
    expect([made.exitCode, made.err]).toEqual([0, '']);

    const later = [await pay('later-1'), await pay('later-2')];
    const authorized = await pay('later-3', { capture_method: 'manual' });
    const refund = await call('POST', `/v1/payments/${kept[0]!.id}/refunds`, { amount: 700 }, 'refund-1');
    expect(refund.body.status).toBe('succeeded');
    const [open, paid] = [await openPage('later-open'), await paidPage('later-paid')];
    const { numbers, notes } = await receipts(6, 1);

    for (const name of serviceNames) await stack.kill(name);
    await stack.killPostgres();
    const loaded = await tidegate(
      [
        'restore',
        'load',
        '--from',
        backup,
        '--receipts-up-to',
        `default/R/${new Date().getUTCFullYear()}=8`,
        '--yes',
        '--reason',
        'disk lost',
        '--json',
      ],
      {
        env: {
          DATABASE_URL: inOther(),
          RECEIPTS_NATS_URL: stack.natsUrl('receipts'),
          ...Object.fromEntries(serviceNames.map((name) => [`${name.toUpperCase()}_DATABASE_URL`, inOther(name)])),
        },
      },
    );
    expect([loaded.exitCode, loaded.err]).toEqual([2, expect.not.stringContaining('"level":"warn"')]);
    const { result } = JSON.parse(loaded.out) as { result: { receipts: { found: string[]; lost: string[] } } };
    expect(result.receipts.found.sort()).toEqual(
      [...later.map(({ id }) => numbers.get(id)), numbers.get(paid.payment ?? ''), ...notes].map((number) => `default ${number}`).sort(),
    );
    expect(result.receipts.lost).toHaveLength(2);
    for (const name of serviceNames) await stack.restart(name, 1, { DATABASE_URL: inOther(name) });

    expect((await listed<PaymentView>('/v1/payments')).length).toBeLessThanOrEqual(7);
    const held = await call('POST', '/v1/payments', ORDER, 'later-1');
    expect([held.status, held.body.code]).toEqual([503, 'service.on_hold']);
    expect((await tidegate('restore status', cli)).exitCode).toBe(2);
    const finished = await tidegate('restore finish --yes --reason "disk lost"', cli);
    expect([finished.exitCode, finished.out]).toEqual([0, expect.stringContaining('are taken again')]);

    const after = new Map((await listed<PaymentView>('/v1/payments')).map((payment) => [payment.id, payment]));
    expect([...after.keys()].sort()).toEqual([...[...kept, ...later, authorized].map(({ id }) => id), paid.payment].sort());
    expect(after.get(kept[0]!.id)?.amount_refunded).toBe(700);
    expect(after.get(authorized.id)?.status).toBe('authorized');
    expect(await receipts(6, 1)).toEqual({ numbers, notes });
    const unverifiable = await query(inOther(), 'select number from receipts.receipts where verification is null');
    expect(unverifiable).toEqual([]);
    const again = await call('POST', '/v1/payments', ORDER, 'later-1');
    expect([again.status, again.body.id]).toEqual([201, later[0]!.id]);
    expect(await openPage('later-open')).toMatchObject({
      id: open.id,
      stripe_checkout_session: open.stripe_checkout_session,
      status: 'open',
    });
    await openPage('later-paid');
    await eventually(async () => expect((await call('GET', `/v1/checkout-sessions/${paid.id}`)).body).toMatchObject(pagePaid(paid)));
    await pay();
    const numbersNow = [...(await receipts(7, 1)).numbers.values()].map((number) => Number(number.split('-').at(-1)));
    expect(Math.max(...numbersNow)).toBe(9);

    const { payment_intents, checkout_sessions } = (await (await fetch(`${stack.urls.simulator}/__truth`)).json()) as {
      payment_intents: { status: string; metadata: { payment_id?: string; checkout_id?: string } }[];
      checkout_sessions: unknown[];
    };
    expect(checkout_sessions).toHaveLength(2);
    const charged = payment_intents
      .filter(({ status }) => status === 'succeeded')
      .map(({ metadata }) => metadata.payment_id ?? metadata.checkout_id);
    expect(new Set(charged).size).toBe(charged.length);
    expect(charged).toHaveLength(7);
    const { body: dead } = await call('GET', '/v1/ops/dead-letters');
    expect(dead.data).toEqual([]);
  }, 400_000);

  it('a backup is loaded into an empty database only', async () => {
    const env = {
      DATABASE_URL: inOther(),
      ...Object.fromEntries(serviceNames.map((name) => [`${name.toUpperCase()}_DATABASE_URL`, inOther(name)])),
    };
    const again = await tidegate(['restore', 'load', '--from', join(folder, 'backup'), '--yes', '--reason', 'by mistake'], { env });
    expect([again.exitCode, again.err]).toEqual([1, expect.stringContaining('in use')]);
  });
});
