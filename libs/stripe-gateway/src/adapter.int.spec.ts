import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { simulatorForTests } from '@tidegate/test-harness/simulator';
import { type Simulator } from '@tidegate/stripe-simulator/simulator';
import { createStripeAdapter } from './adapter.js';
import { portFeatures } from './port.features.js';
import { openTestFleet } from '../test/fleet-world.js';
import { withFleet } from './with-fleet.js';

async function onSimulator() {
  const simulator = await simulatorForTests();
  const send = async (method: string, path: string, body = '') => {
    const headers = { authorization: 'Bearer sk_test_simulator', 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await fetch(`${simulator.url}/v1/${path}`, { method, headers, ...(body === '' ? {} : { body }) });
    return ((await answer.json()) as { id: string }).id;
  };
  await send('POST', 'billing/meters', 'display_name=Calls&event_name=features_calls&default_aggregation[formula]=sum');
  const method = 'pm_card_visa';
  const customer = await send('POST', 'customers', `payment_method=${method}&invoice_settings[default_payment_method]=${method}`);
  const price = await send('POST', 'prices', 'currency=usd&unit_amount=3000&recurring[interval]=month&product_data[name]=Plan');
  const form = `customer=${customer}&items[0][price]=${price}&metadata[tenant_id]=default`;
  await send('POST', 'subscriptions', form);
  // Which cancels the subscription, too.
  await send('DELETE', `customers/${customer}`);
  const adapter = createStripeAdapter({ secretKey: 'sk_test_simulator', apiBase: simulator.url });
  return {
    adapter,
    close: async () => {
      adapter.close();
      await simulator.close();
    },
  };
}

portFeatures('the SDK', async () => {
  const { adapter, close } = await onSimulator();
  return { port: adapter, close };
});

portFeatures('the SDK behind the breakers and the limiter', async () => {
  const { adapter, close } = await onSimulator();
  const world = await openTestFleet();
  return {
    port: withFleet(adapter, world.process().fleet),
    close: async () => {
      await close();
      await world.close();
    },
  };
});

describe('One call of ours', () => {
  let simulator: Simulator;
  const order = { amount: 4200, currency: 'usd', captureMethod: 'automatic', allowRedirects: 'never', metadata: {} } as const;
  const adapterWith = (deadlineMs: number) => createStripeAdapter({ secretKey: 'sk_test_simulator', apiBase: simulator.url, deadlineMs });
  const posts = () => simulator.world.requests.all().filter((request) => request.method === 'POST').length;
  beforeAll(async () => {
    simulator = await simulatorForTests();
  });
  afterEach(() => simulator.clearFaults());
  afterAll(() => simulator.close());

  it('that is refused says why, and does not quote the mail address', async () => {
    const adapter = adapterWith(5_000);
    const refused = { kind: 'rejected', code: 'email_invalid', message: 'Invalid email address: [mail address]' };
    const customer = { email: 'ada@example-.com', metadata: {} };
    expect(await adapter.createCustomer(customer, 'quotes:customer')).toMatchObject({ ...refused, param: 'email' });
    expect(await adapter.createIntent({ ...order, receiptEmail: 'ada@example-.com' }, 'quotes:intent')).toMatchObject(refused);
    adapter.close();
  });

  it('that changes something carries the key it was given, whatever it asks for', async () => {
    const adapter = adapterWith(5_000);
    const before = posts();
    const created = await adapter.createIntent(order, 'keys:create');
    const intent = created.kind === 'ok' ? created.value.id : '';
    await adapter.confirmIntent(intent, { paymentMethod: 'pm_card_visa' }, 'keys:confirm');
    await adapter.captureIntent(intent, {}, 'keys:capture');
    await adapter.cancelIntent(intent, {}, 'keys:cancel');
    await adapter.createRefund({ intent, amount: 100, metadata: {} }, 'keys:refund');
    await adapter.createCustomer({ metadata: {} }, 'keys:customer');
    const page = { currency: 'usd', successUrl: 'https://shop.example', cancelUrl: 'https://shop.example', metadata: {} };
    const lineItems = [{ name: 'Vase', quantity: 1, unitAmount: 4200 }];
    await adapter.createCheckoutSession({ ...page, lineItems, expiresAt: Math.floor(Date.now() / 1000) + 7_200 }, 'keys:session');
    await adapter.expireCheckoutSession('cs_test_none', 'keys:expire');
    const sent = simulator.world.requests.all().filter((request) => request.method === 'POST');
    expect(sent.slice(before).map(({ idempotency_key }) => idempotency_key?.replace('keys:', ''))).toEqual(
      'create confirm capture cancel refund customer session expire'.split(' '),
    );
    adapter.close();
  });

  it('that pays an invoice says that the customer is there, whom Stripe takes for absent otherwise', async () => {
    const sent: string[] = [];
    const server = createServer((request, response) => {
      void text(request).then((body) => {
        sent.push(body);
        response.writeHead(404).end('{"error":{"type":"invalid_request_error"}}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const apiBase = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const adapter = createStripeAdapter({ secretKey: 'sk_test_simulator', apiBase, deadlineMs: 5_000 });
    expect(await adapter.payInvoice('in_1', 'pays:invoice')).toMatchObject({ kind: 'not_found' });
    expect(sent.map((body) => new URLSearchParams(body).get('off_session'))).toEqual(['false']);
    adapter.close();
    server.close();
  });

  it.each([
    ['hang', 'timeout'],
    ['reset_before', 'connection'],
    ['reset_after', 'connection'],
    ['cut_body', 'connection'],
    ['error_500_before', 'server_error'],
    ['error_500_after', 'server_error'],
    ['error_502_html', 'bad_body'],
    ['error_503', 'server_error'],
  ] as const)('that meets %s is one request on the wire and unknown by %s', async (fault, cause) => {
    const adapter = adapterWith(300);
    // On a connection that is already open, where the SDK likes to repeat.
    await adapter.createIntent(order, `warm:${fault}`);
    const before = posts();
    simulator.addFault({ fault, times: 0 });
    expect(await adapter.createIntent(order, `fault:${fault}`)).toMatchObject({ kind: 'unknown', cause });
    expect(posts() - before).toBeLessThanOrEqual(1);
    expect(simulator.world.faults.list()[0]?.hits).toBe(1);
    adapter.close();
  });

  it.each([
    ['rate_limit', 'limited'],
    ['lock_timeout', 'limited'],
    ['key_in_use', 'in_use'],
    ['auth_expired', 'auth'],
  ] as const)('that meets %s certainly had no effect: %s', async (fault, kind) => {
    const adapter = adapterWith(1000);
    simulator.addFault({ fault, times: 0 });
    expect((await adapter.createIntent(order, `certain:${fault}`)).kind).toBe(kind);
    adapter.close();
  });

  it('to nobody is unknown at once', async () => {
    const adapter = createStripeAdapter({ secretKey: 'sk_test_simulator', apiBase: 'http://127.0.0.1:1', deadlineMs: 1000 });
    expect(await adapter.retrieveIntent('pi_1')).toMatchObject({ kind: 'unknown', cause: 'connection' });
    adapter.close();
  });
});
