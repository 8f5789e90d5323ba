import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { freePort } from '@tidegate/local-stack/process/free-port';
import { openPage } from '@tidegate/test-harness/browser';
import { eventually } from '@tidegate/test-harness/eventually';
import { type Browser, type Page, type Route } from 'playwright-core';
import { type PaymentsPublisher, publishBehind } from '../../../services/gateway/test/payments-publisher.js';
import { runGateway, type RunningGateway } from '../../../services/gateway/test/running-gateway.js';
import { type RunningShop, startShop } from '../src/shop.js';

let gateway: RunningGateway;
let payments: PaymentsPublisher;
let shop: RunningShop;
let browser: Browser;
let page: Page;
const problems: string[] = [];
/** The id behind which the page opened the stream, each time. */
const openedBehind: (string | null)[] = [];
let made = 0;

const known = {
  id: 'pay_known',
  status: 'requires_payment_method',
  amount: 125000,
  amount_refunded: 0,
  currency: 'huf',
  updated_at: '2026-11-20T09:00:00.000Z',
};

beforeAll(async () => {
  const port = await freePort();
  [gateway, { browser, page }] = await Promise.all([
    // Connections and tokens end within three seconds, so that the page must come back again and again, by itself and with a new token.
    runGateway({
      BILLING_STREAM_ORIGINS: `http://127.0.0.1:${port}`,
      BILLING_STREAM_MAX_AGE_SECONDS: '3',
      BILLING_STREAM_HEARTBEAT_SECONDS: '1',
    }),
    openPage(),
  ]);
  gateway.answerWith(() => list(known));
  payments = publishBehind(gateway);
  const key = await gateway.key({ scopes: ['billing:stream', 'payments:read'] });
  shop = await startShop({ port, tidegateUrl: gateway.url, apiKey: key, tokenSeconds: 1 });
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('request', (request) => {
    const { pathname, searchParams } = new URL(request.url());
    if (pathname === '/v1/billing/stream') openedBehind.push(searchParams.get('last_event_id'));
  });
}, 120_000);
afterEach(() => expect(problems).toEqual([]));
afterAll(async () => {
  await browser?.close();
  await shop?.stop();
  await payments?.stop();
  await gateway?.stop();
});

const shown = (): Promise<string[]> =>
  page.locator('#events li').evaluateAll((lines) => lines.map((line) => line.getAttribute('data-event') ?? '').toReversed());
const rows = (): Promise<string[]> =>
  page.locator('#payments tr').evaluateAll((all) => all.map((row) => row.getAttribute('data-id') ?? ''));
const list = (payment: typeof known) => jsonReply(200, { data: [payment], has_more: false, next_cursor: null });
const metric = async (series: string): Promise<number> => {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${series} `))
      ?.split(' ')[1],
  );
};

describe('The page', () => {
  it('shows the state, and then each event once and in order, over connections and tokens that end', async () => {
    await page.goto(shop.url);
    await page.locator('#payments tr', { hasText: 'pay_known' }).waitFor();
    expect(await page.locator('#payments tr', { hasText: 'pay_known' }).textContent()).toMatch(/HUF\s1,250\.00/);
    await page.locator('#status', { hasText: 'Live' }).waitFor();
    const refused = `http_request_duration_seconds_count{route="/v1/billing/stream",status="401"}`;
    await eventually(
      async () => {
        await payments.publish(1);
        made += 1;
        expect(await metric('billing_stream_closed_total{reason="age"}')).toBeGreaterThanOrEqual(2);
        expect(await metric(refused)).toBeGreaterThanOrEqual(1);
      },
      { timeoutMs: 30_000, everyMs: 200 },
    );
    await eventually(async () => expect(await page.locator('#count').textContent()).toBe(String(made)), { timeoutMs: 20_000 });
    const ids = await shown();
    expect(ids).toEqual(Array.from({ length: ids.length }, (_, index) => `1:${made - ids.length + index + 1}`));
    expect(await page.locator('#payments tr').first().textContent()).toContain('$42.00');
    expect(await page.locator('#read').textContent()).toBe('1');
  }, 60_000);

  it('comes back from where the stream is when nothing happened for its tenant, not from the last event of its own', async () => {
    await payments.publish(20, { tenant: 'other' });
    made += 20;
    await eventually(() => expect(openedBehind.at(-1)).toBe(`1:${made}`), { timeoutMs: 20_000 });
  }, 60_000);

  it('reads the state anew when what it missed cannot be told, as often as it takes, shows that alone, and goes on', async () => {
    let asked = 0;
    gateway.answerWith(() => ((asked += 1) === 1 ? jsonReply(503, {}) : list({ ...known, id: 'pay_restored' })));
    await page.route('**/payments', (route) => route.abort(), { times: 1 });
    const epoch = await payments.beginEpoch();
    await payments.publish(1);
    await eventually(async () => expect(await page.locator('#read').textContent()).toBe('2'), { timeoutMs: 20_000 });
    expect([asked, await rows()]).toEqual([2, expect.arrayContaining(['pay_restored'])]);
    expect(await rows()).not.toContain('pay_known');
    await payments.publish(1);
    await eventually(async () => expect((await shown()).at(-1)).toMatch(new RegExp(`^${epoch}:`)), { timeoutMs: 20_000 });
  }, 60_000);

  it('shows what it read last, not what was answered last', async () => {
    const held = Promise.withResolvers<null>();
    let asked = 0;
    const answerLate = async (route: Route) => {
      asked += 1;
      await held.promise;
      await route.fulfill({ json: { data: [{ ...known, id: 'pay_stale' }] } });
    };
    await page.route('**/payments', answerLate, { times: 1 });
    gateway.answerWith(() => list({ ...known, id: 'pay_newest' }));
    await payments.beginEpoch();
    await payments.publish(1);
    await eventually(() => expect(asked).toBe(1));
    await payments.beginEpoch();
    await payments.publish(1);
    await eventually(async () => expect(await rows()).toContain('pay_newest'));
    const answered = page.waitForEvent('requestfinished', (request) => request.url().endsWith('/payments'));
    held.resolve(null);
    await answered;
    await page.evaluate('new Promise(requestAnimationFrame)');
    expect(await rows()).not.toContain('pay_stale');
  }, 60_000);

  it('of another origin is told nothing by the browser', async () => {
    gateway.answerWith(() => list(known));
    const elsewhere = await browser.newPage();
    await elsewhere.goto(shop.url.replace('127.0.0.1', 'localhost'));
    await elsewhere.locator('#payments tr', { hasText: 'pay_known' }).waitFor();
    await elsewhere.locator('#status', { hasText: 'Waiting for Tidegate' }).waitFor();
    await payments.publish(1);
    await eventually(async () => expect(await shown()).not.toEqual([]));
    expect(await elsewhere.locator('#events li').count()).toBe(0);
    await elsewhere.close();
  }, 60_000);
});

describe('The server of the page', () => {
  it('gives no token to another site, and nothing else than its page', async () => {
    expect((await fetch(`${shop.url}/stream-token`, { method: 'POST', headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(403);
    expect((await fetch(`${shop.url}/stream-token`, { method: 'POST' })).status).toBe(403);
    expect((await fetch(`${shop.url}/../package.json`)).status).toBe(404);
  });
});
