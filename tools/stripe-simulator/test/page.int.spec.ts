import { type Browser, type Locator, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { openPage } from '@tidegate/test-harness/browser';
import { type Given, PAY, errorOf, eventually, givenSimulator } from './given.js';

let browser: Browser;
let page: Page;
let given: Given;
let stripe: Stripe;
const problems: string[] = [];

beforeAll(async () => {
  ({ browser, page } = await openPage());
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('dialog', (dialog) => problems.push(`dialog ${dialog.message()}`));
  page.on('console', (message) => {
    if (/Content Security Policy|Uncaught/.test(message.text())) problems.push(message.text());
  });
}, 60_000);
afterAll(() => browser.close());

beforeEach(async () => {
  given = await givenSimulator();
  ({ stripe } = given);
  await page.goto(given.simulator.url);
  await page.locator('#link.live').waitFor();
}, 30_000);
afterEach(async () => {
  await page.goto('about:blank');
  await given.end();
  expect(problems).toEqual([]);
});

const types = (): string[] => given.simulator.world.events.records.all().map(({ event }) => event.type);
const button = (name: string, within: Page | Locator = page): Locator => within.getByRole('button', { name, exact: true });
const sheet = (): Locator => page.locator('#detail');
const toast = (text: string): Promise<void> => page.locator('.toast', { hasText: text }).waitFor();

/** Opens the sheet of an object in the list and the form of one action. */
async function openAction(id: string, action: string): Promise<Locator> {
  await button(id, page.locator('#rows')).click();
  await button(action, sheet().locator('.actions')).click();
  return sheet().locator('form');
}

describe('Payments on the page', () => {
  it('appear without a reload, and are refunded in part, with the event and without', async () => {
    const intent = await stripe.paymentIntents.create({ ...PAY, description: 'Order 1001' });
    const row = page.locator('#rows tr', { hasText: intent.id });
    await row.waitFor();
    expect((await row.textContent()) ?? '').toMatch(/Order 1001.*succeeded.*20\.00/);
    const form = await openAction(intent.id, 'Refund');
    await form.getByLabel('Amount in minor units').fill('500');
    await button('Refund', form).click();
    await toast('is succeeded');
    expect((await stripe.refunds.list({ payment_intent: intent.id })).data.map(({ amount }) => amount)).toEqual([500]);
    await eventually(() => given.receiver.received.some(({ event }) => event.type === 'refund.created'));

    await button('Refund', sheet().locator('.actions')).click();
    await form.getByLabel('without an event').check();
    await button('Refund', form).click();
    await eventually(async () => (await stripe.refunds.list({ payment_intent: intent.id })).data.length === 2);
    expect(types().filter((type) => type === 'refund.created')).toHaveLength(1);
  }, 60_000);

  it('are disputed, and the dispute is won', async () => {
    const intent = await stripe.paymentIntents.create(PAY);
    const form = await openAction(intent.id, 'Dispute');
    await form.getByLabel('Kind').selectOption('chargeback');
    await button('Dispute', form).click();
    await toast('needs response');
    const [dispute] = (await stripe.disputes.list({ payment_intent: intent.id })).data;
    await page.keyboard.press('Escape');
    await page.locator('#kinds').getByText('Disputes').click();
    const closing = await openAction(dispute!.id, 'Close dispute');
    await closing.getByLabel('The bank decides').selectOption('won');
    await button('Close dispute', closing).click();
    await toast('won');
    expect((await stripe.disputes.retrieve(dispute!.id)).status).toBe('won');
    expect(types()).toEqual(expect.arrayContaining(['charge.dispute.created', 'charge.dispute.closed']));
  }, 60_000);

  it('are authenticated, canceled and edited; a mistake is said in the form', async () => {
    const method = { ...PAY, payment_method: 'pm_card_threeDSecure2Required' };
    const waiting = await stripe.paymentIntents.create(method);
    const form = await openAction(waiting.id, 'Complete authentication');
    await button('Complete authentication', form).click();
    await toast('The payment is succeeded.');
    await page.keyboard.press('Escape');

    const other = await stripe.paymentIntents.create({ amount: 700, currency: 'usd' });
    await button('Cancel payment', await openAction(other.id, 'Cancel payment')).click();
    await toast('canceled');
    await button('Edit…', sheet().locator('.actions')).click();
    const changes = sheet().getByLabel('Changes as JSON');
    await changes.fill('{');
    await button('Edit', sheet()).click();
    await sheet().getByRole('alert').filter({ hasText: 'not valid JSON' }).waitFor();
    await changes.fill('{"amount": 1}');
    await button('Edit', sheet()).click();
    await toast('overwritten');
    expect(await stripe.paymentIntents.retrieve(other.id)).toMatchObject({ amount: 1, status: 'canceled' });
  }, 60_000);

  it('stay closed when the answer of a refresh comes after the sheet was closed', async () => {
    const intent = await stripe.paymentIntents.create(PAY);
    await button(intent.id, page.locator('#rows')).click();
    await sheet().getByRole('heading', { name: intent.id }).waitFor();
    // The answer's head arrives, its body is held back until the sheet is closed.
    await page.evaluate(`{
      const fetched = window.fetch;
      window.fetch = async (...args) => {
        const response = await fetched(...args);
        if (String(args[0]).includes('/__page/object')) {
          const found = response.json();
          response.json = () => new Promise((resolve) => (window.release = () => resolve(found)));
        }
        return response;
      };
    }`);
    await stripe.paymentIntents.update(intent.id, { description: 'changed' });
    await eventually(() => page.evaluate('window.release !== undefined'));
    await page.keyboard.press('Escape');
    await sheet().waitFor({ state: 'hidden' });
    // Answers when all that followed from the body has run.
    await page.evaluate('window.release(); new Promise((resolve) => setTimeout(resolve))');
    expect(await sheet().isVisible()).toBe(false);
  }, 60_000);

  it('are found and opened by keyboard alone, and the focus comes back', async () => {
    const intent = await stripe.paymentIntents.create({ ...PAY, description: 'findme' });
    await stripe.paymentIntents.create({ ...PAY, description: 'other' });
    await page.locator('#rows tr').nth(1).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('findme');
    await eventually(async () => (await page.locator('#rows tr').count()) === 1);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await sheet().getByRole('heading', { name: intent.id }).waitFor();
    await page.keyboard.press('Escape');
    expect(await page.evaluate('document.activeElement.textContent')).toBe(intent.id);
  }, 60_000);

  it('show text from outside as text', async () => {
    const text = '<img src=x onerror=alert(1)><script>alert(2)</script>';
    const intent = await stripe.paymentIntents.create({ ...PAY, description: text, metadata: { text } });
    await stripe.customers.create({ name: text }, { idempotencyKey: text });
    await page.locator('#rows tr', { hasText: text }).waitFor();
    await button(intent.id, page.locator('#rows')).click();
    await sheet().locator('dd', { hasText: text }).waitFor();
    expect(await page.locator('body img, body script').count()).toBe(0);
  }, 60_000);
});

describe('The page', () => {
  it('arms a fault, shows that it hit, and clears it', async () => {
    const arm = page.locator('#arm');
    await arm.getByLabel('Fault').selectOption('error_503');
    await arm.getByLabel('Route').fill('POST /v1/customers');
    await button('Arm fault', arm).click();
    await page.locator('#faults', { hasText: 'nothing to hit yet' }).waitFor();
    expect(await errorOf(stripe.customers.create({}))).toMatchObject({ statusCode: 503 });
    await page.locator('#faults', { hasText: 'hit 1' }).waitFor();
    await page.locator('#feed li', { hasText: 'fault error_503' }).waitFor();
    await button('Clear all').click();
    await page.locator('#faults', { hasText: 'None armed' }).waitFor();
    expect(given.simulator.world.faults.isEmpty()).toBe(true);
  }, 60_000);

  it('has its clock and its reset in one row', async () => {
    const middle = async (selector: string): Promise<number> => {
      const { y, height } = (await page.locator(selector).boundingBox())!;
      return y + height / 2;
    };
    for (const seconds of [0, 400 * 86_400 + 3_600]) {
      given.simulator.advanceClock(seconds);
      await page.locator('#offset', { hasText: seconds === 0 ? 'wall' : 'ahead' }).waitFor();
      for (const selector of ['#advance', '#advance-by', '#reset'])
        expect([selector, Math.abs((await middle(selector)) - (await middle('h1'))) < 8]).toEqual([selector, true]);
    }
  }, 60_000);

  it('moves the clock', async () => {
    await button('+1 day').click();
    await page.locator('#offset', { hasText: '1 d ahead' }).waitFor();
    await page.getByLabel('Advance by').fill('2');
    await page.getByLabel('Unit').selectOption('hours');
    await button('Advance').click();
    await page.locator('#offset', { hasText: '1 d 2 h ahead' }).waitFor();
    expect((await stripe.customers.create({})).created).toBeGreaterThan(Date.now() / 1000 + 93_000);
  }, 60_000);

  it('follows requests, deliveries and events', async () => {
    const { id } = await stripe.customers.create({ name: 'Ada' }, { idempotencyKey: 'seen-key' });
    await page.locator('#feed li', { hasText: 'seen-key' }).waitFor();
    await page.getByRole('tab', { name: 'Requests' }).press('ArrowRight');
    await page.locator('#feed li', { hasText: 'customer.created' }).filter({ hasText: 'HTTP 200' }).waitFor();
    await page.getByRole('tab', { name: 'Events' }).click();
    await button(id, page.locator('#feed')).click();
    await sheet().locator('dd', { hasText: 'Ada' }).waitFor();
  }, 60_000);

  it('pays out, and forgets everything when asked twice', async () => {
    await stripe.paymentIntents.create({ ...PAY, payment_method: 'pm_card_bypassPending' });
    given.simulator.advanceClock(60);
    await page.locator('#kinds').getByText('Payouts').click();
    await button('New payout…').click();
    await button('New payout', sheet()).click();
    await toast('Payout po_');
    expect((await stripe.payouts.list()).data).toHaveLength(1);
    await button('Reset…').click();
    await button('Reset').click();
    await toast('Everything is forgotten.');
    expect((await stripe.payouts.list()).data).toEqual([]);
    await page.locator('#empty', { hasText: 'No payouts yet' }).waitFor();
  }, 60_000);

  it('says when the simulator is gone, and comes back with it', async () => {
    given.simulator.refuse(300);
    await page.locator('#link.offline').waitFor();
    await page.locator('#link.live').waitFor();
  }, 60_000);
});

describe('A hosted checkout', () => {
  it('is paid in the browser, and shown on the page', async () => {
    const session = await stripe.checkout.sessions.create({
      mode: 'payment',
      line_items: [{ quantity: 2, price_data: { currency: 'usd', unit_amount: 1500, product_data: { name: 'Book' } } }],
      success_url: `${given.simulator.url}/healthz?session={CHECKOUT_SESSION_ID}`,
      cancel_url: `${given.simulator.url}/`,
    });
    await page.locator('#kinds').getByText('Checkout').click();
    await button(session.id, page.locator('#rows')).click();
    const link = sheet().getByRole('link', { name: 'Open the hosted page' });
    await page.goto((await link.getAttribute('href')) ?? '');
    await page.getByLabel('Pay with').selectOption('pm_card_chargeDeclined');
    await page.locator('#pay').click();
    await page.getByRole('alert').filter({ hasText: 'declined' }).waitFor();
    await page.getByLabel('Email').fill('ada@example.com');
    await page.getByLabel('Pay with').selectOption('pm_card_visa');
    await page.locator('#pay').click();
    await page.waitForURL(`**/healthz?session=${session.id}`);
    expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({ status: 'complete', payment_status: 'paid' });
    await page.goto(`${given.simulator.url}/#kind=checkoutSessions`);
    await page.locator('#rows tr', { hasText: session.id }).filter({ hasText: 'complete' }).waitFor();
    expect(types()).toContain('checkout.session.completed');
  }, 60_000);

  it('is left in the browser, and can still be paid later', async () => {
    const session = await stripe.checkout.sessions.create({
      mode: 'payment',
      line_items: [{ quantity: 1, price_data: { currency: 'usd', unit_amount: 1500, product_data: { name: 'Book' } } }],
      success_url: 'https://example.com/paid',
      cancel_url: `${given.simulator.url}/healthz?left={CHECKOUT_SESSION_ID}`,
    });
    const before = types().length;
    await page.goto(session.url ?? '');
    await page.locator('#cancel').click();
    await page.waitForURL('**/healthz?left=*');
    expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({
      status: 'open',
      payment_status: 'unpaid',
      payment_intent: null,
    });
    expect(types().length).toBe(before);
    await page.goto(given.simulator.url);
  }, 60_000);

  it('is paid from the page as the customer would', async () => {
    const price = { currency: 'usd', unit_amount: 1500, product_data: { name: 'Book' } };
    const lines = [{ quantity: 1, price_data: price }];
    const session = await stripe.checkout.sessions.create({ mode: 'payment', line_items: lines, success_url: 'https://example.com' });
    await page.locator('#kinds').getByText('Checkout').click();
    await button('Pay as the customer', await openAction(session.id, 'Pay as the customer')).click();
    await toast('The checkout is paid.');
    expect((await stripe.checkout.sessions.retrieve(session.id)).payment_status).toBe('paid');
  }, 60_000);
});
