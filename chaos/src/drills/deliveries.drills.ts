import { type Drill } from './drill.js';
import { type Stage } from './stage.js';

interface Endpoint {
  id: string;
  url: string;
}

/** Stripe disables endpoints that fail for days; somebody in the dashboard does, too. The page's command enables it again. */
export const webhookEndpointBroken: Drill = {
  inject: async (stage) => {
    const { data } = await atStripe<{ data: Endpoint[] }>(stage, '/v1/webhook_endpoints');
    for (const { id } of data) await atStripe(stage, `/v1/webhook_endpoints/${id}`, { disabled: 'true' });
    // Until deliveries of before have left the window, and for as long as it takes.
    for (let paid = 0; paid < 20; paid += 1) {
      await stage.pay();
      await stage.query('vector(1)');
    }
  },
};

/** Somebody posts what Stripe never signed. */
export const badSignatures: Drill = {
  inject: async ({ arena }) => {
    const url = `${arena.stack.urls.webhooks[0]}/webhooks/stripe`;
    const headers = { 'content-type': 'application/json', 'stripe-signature': `t=${Math.floor(Date.now() / 1000)},v1=${'0'.repeat(64)}` };
    for (let sent = 0; sent < 20; sent += 1) await fetch(url, { method: 'POST', headers, body: `{"id":"evt_${sent}"}` });
  },
};

async function atStripe<T>({ arena }: Stage, path: string, form?: Record<string, string>): Promise<T> {
  const answer = await fetch(`${arena.stack.urls.simulator}${path}`, {
    headers: { authorization: `Bearer ${arena.stack.stripe.secretKey}` },
    ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
  });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}
