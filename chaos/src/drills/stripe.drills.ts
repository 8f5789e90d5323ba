import { type Arena } from '../arena.js';
import { type Call } from '../client.js';
import { type Drill } from './drill.js';
import { type Stage } from './stage.js';

/** Enough to open a breaker. */
const CALLS = 12;

const pays = async (stage: Stage, times: number): Promise<void> => {
  await Promise.all(Array.from({ length: times }, () => stage.pay()));
};

/** A POST that must do what it says. */
async function ordered<T>({ client }: Arena, call: Omit<Call, 'method'>): Promise<T> {
  const { status, body } = await client.send({ method: 'POST', ...call });
  if (status < 200 || status > 299) throw new Error(`POST ${call.path} answered ${status}: ${body}`);
  return JSON.parse(body) as T;
}

const outage = (fault: string): Drill => ({
  inject: async (stage) => {
    await stage.arena.fault({ fault, route: '/v1/*', times: 0 });
    await pays(stage, CALLS);
  },
  heal: (stage) => stage.arena.clearFaults(),
});

export const breakerOpen: Drill = outage('error_503');
export const processorDown: Drill = outage('error_503');
export const keyRefused: Drill = outage('auth_expired');

/** The operator's own command is the fault. */
export const breakerIsolated: Drill = {
  inject: async ({ arena }) => {
    const reason = 'drill: audit of the account';
    await ordered(arena, { path: '/v1/ops/breakers/stripe/isolate', body: { reason } });
  },
};

/** Confirmations reach Stripe and their answers are lost; who asks afterwards gets none either. */
export const stuckPendingPayments: Drill = {
  // A breaker that opens would be the cause, and inhibit what follows from it.
  env: { '*': { CIRCUIT_BREAKER_FAILURE_THRESHOLD: '1000' } },
  thresholds: { PaymentsPendingOld: ['> 1800', '> 6'], PaymentsUnknownOld: ['> 300', '> 3'] },
  inject: async (stage) => {
    await stage.arena.fault({ fault: 'error_503', route: 'GET /v1/*', times: 0 });
    await stage.arena.fault({ fault: 'reset_after', route: 'POST /v1/payment_intents/:id/confirm', times: 0 });
    await stage.arena.fault({ fault: 'webhook_drop', times: 0 });
    await pays(stage, 3);
  },
  heal: (stage) => stage.arena.clearFaults(),
};

/** More than 200 wait, because the fleet may make one call a second. A release with another limit is what an operator would make. */
export const backlog: Drill = {
  env: { '*': { STRIPE_REQUEST_RATE_LIMIT: '1' } },
  inject: async (stage) => {
    for (let sent = 0; sent < 240; sent += 40) await Promise.all(Array.from({ length: 40 }, () => stage.pay({ prefer: 'respond-async' })));
  },
  heal: async ({ arena }) => {
    await arena.stack.restart('payments', 1, { STRIPE_REQUEST_RATE_LIMIT: '100000' });
  },
};

const WINDOW_MS = 5_000;

/** A page whose window ends in a moment, and that Stripe does not close. */
export const windowNotExpiring: Drill = {
  env: { '*': { CIRCUIT_BREAKER_FAILURE_THRESHOLD: '1000' } },
  thresholds: { PaymentWindowNotExpiring: ['> 900', '> 3'] },
  inject: async ({ arena }) => {
    const { id } = await ordered<{ id: string }>(arena, {
      path: '/v1/checkout-sessions',
      key: 'drill-checkout',
      body: {
        line_items: [{ name: 'Ticket', quantity: 1, unit_amount: 4200 }],
        currency: 'usd',
        success_url: 'https://shop.example/thanks',
        cancel_url: 'https://shop.example/cart',
      },
    });
    const until = new Date(Date.now() + WINDOW_MS).toISOString();
    const body = { action: 'extend', until, reason: 'drill: the auction ends in a moment' };
    await ordered(arena, { path: `/v1/ops/checkouts/${id}/window`, key: 'drill-window', body });
    await arena.fault({ fault: 'error_503', route: 'POST /v1/checkout/sessions/:id/expire', times: 0 });
  },
  heal: ({ arena }) => arena.clearFaults(),
};
