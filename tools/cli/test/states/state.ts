import { expect } from '@jest/globals';
import { eventually } from '@tidegate/test-harness/eventually';
import type { OperatorWorld } from '../operator-world.js';

/** A series of `/metrics` and what it must show; `more` counts from before the state was entered. */
export interface Seen {
  name: string;
  labels?: Record<string, string>;
  least?: number;
  most?: number;
  more?: number;
}

export interface CommandSeen {
  /** As it stands in the README: ID is what `enter` answers, … a reason. */
  line: string;
  /** 0 unless given. */
  exit?: 0 | 2;
  /** Looks at the document that `--json` prints, with expectations. */
  shows(value: never, id: string): void;
  /** Stripe answers again before this one. */
  healed?: true;
}

/** One row of a table under "What an operator sees" in the README of payments. */
export interface State {
  state: string;
  /** Brings it about; answers the id of what it is about. */
  enter(given: Given): Promise<string>;
  metrics: Seen[];
  /** Log lines by their `event`, with the fields they must have. */
  lines?: { event: string; fields(id: string): object }[];
  commands: CommandSeen[];
}

export type Given = ReturnType<typeof given>;

const CARD = 'pm_card_visa';
const BREAKERS = ['stripe', 'stripe_reads', 'stripe_usage'];
const SESSION = {
  line_items: [{ name: 'Ticket', quantity: 1, unit_amount: 4200 }],
  currency: 'usd',
  success_url: 'https://shop.example/thanks',
  cancel_url: 'https://shop.example/cart',
};

/** What rows need to bring their state about. */
export function given(world: OperatorWorld) {
  const { simulator } = world;
  const fault = (name: string, route: string, more: object = {}) =>
    void simulator.addFault({ fault: name, route, times: 0, ...more } as Parameters<typeof simulator.addFault>[0]);
  const posted = async (url: string, body: object, headers = {}): Promise<Record<string, unknown>> => {
    const response = await fetch(url, { method: 'POST', headers, body: body instanceof URLSearchParams ? body : JSON.stringify(body) });
    const answer = (await response.json()) as Record<string, unknown>;
    if (!response.ok) throw new Error(`${url} answered ${response.status}: ${JSON.stringify(answer)}`);
    return answer;
  };
  const json = { 'content-type': 'application/json' };
  const pay = (body: object = {}, headers: Record<string, string> = {}) =>
    world.post<{ id: string; stripe_payment_intent: string | null }>(
      '/v1/payments',
      { amount: 4200, currency: 'usd', payment_method: CARD, ...body },
      headers,
    );
  const isolate = async (...names: string[]) => {
    for (const name of names) await world.json(`breaker isolate ${name} --reason "a drill" --yes`);
  };
  /** Just after the clock was moved payments is behind by up to 250 ms, and Stripe refuses the end of a window that is too near. */
  const open = (change: object = {}) =>
    eventually(async () => {
      const checkout = await world.post<{ id?: string; stripe_checkout_session?: string }>('/v1/checkout-sessions', {
        ...SESSION,
        ...change,
      });
      if (!checkout.id || !checkout.stripe_checkout_session) throw new Error(`no page: ${JSON.stringify(checkout)}`);
      return { id: checkout.id, stripe_checkout_session: checkout.stripe_checkout_session };
    });
  const advance = (seconds: number) => simulator.advanceClock(seconds);
  return {
    world,
    fault,
    pay,
    advance,
    isolate,
    /** Accepted behind a breaker that somebody isolated. */
    queued: async () => {
      await isolate('stripe');
      return (await pay({}, { prefer: 'respond-async' })).id;
    },
    /** What states before left to do is done; looks and tries come sooner as the clock is moved on. */
    nothingWaits: () =>
      eventually(
        async () => {
          const { value } = await world.json<{ data: unknown[] }>('retries list');
          if (value.data.length > 0) advance(300);
          expect(value.data).toEqual([]);
        },
        { timeoutMs: 30_000, everyMs: 200 },
      ),
    /** Its confirm was lost on the way, and Stripe cannot be asked about it. */
    unanswered: async () => {
      fault('reset_before', 'POST /v1/payment_intents/:id/confirm');
      fault('error_503', 'GET /v1/payment_intents/:id');
      fault('error_503', 'GET /v1/payment_intents');
      return (await pay()).id;
    },
    open,
    /** A page whose window is over and that Stripe does not close. */
    overdue: async () => {
      const checkout = await open({ window_hours: 0.5 });
      fault('error_503', 'POST /v1/checkout/sessions/:id/expire');
      fault('error_503', 'GET /v1/checkout/sessions/:id');
      advance(31 * 60);
      return checkout;
    },
    /** What a person, a bank or a payer does at Stripe. */
    dashboard: (action: string, body: object) => posted(`${simulator.url}/__dashboard/${action}`, body, json),
    /** A request to Stripe's API by somebody else than us. */
    stripe: (path: string, params: Record<string, string>) =>
      posted(`${simulator.url}/v1/${path}`, new URLSearchParams(params), { authorization: 'Bearer sk_test_simulator' }),
    healed: async () => {
      simulator.clearFaults();
      const { value } = await world.json<{ data: { name: string; state: string; failures: number; held_operations: unknown[] }[] }>(
        'breaker status',
      );
      for (const { name, state, failures, held_operations } of value.data)
        if (BREAKERS.includes(name) && (state !== 'closed' || failures > 0 || held_operations.length > 0))
          await world.json(`breaker reset ${name} --reason "the drill is over" --yes`);
      // What a 429 took of the rate comes back within 20 s; the next state does not wait for it.
      await world.query(`update stripe_gateway.limiter set factor = 1, limited_at = null, filled_at = clock_timestamp()`);
    },
  };
}

type Series = { name: string; labels: Record<string, string>; value: number };

/** What payments' `/metrics` says now. */
export async function scrape({ paymentsUrl }: OperatorWorld): Promise<Series[]> {
  const text = await (await fetch(`${paymentsUrl}/metrics`)).text();
  return text.split('\n').flatMap((line) => {
    const found = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!found) return [];
    const labels = Object.fromEntries(
      [...(found[2] ?? '').matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name ?? '', value ?? '']),
    );
    return [{ name: found[1] ?? '', labels, value: Number((found[3] ?? '').replace('+Inf', 'Infinity')) }];
  });
}

/** The sum of the series with these labels; NaN when there is none. */
export function valueOf(series: Series[], { name, labels = {} }: Seen): number {
  const fitting = series.filter((one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value));
  return fitting.length === 0 ? NaN : fitting.reduce((sum, { value }) => sum + value, 0);
}

/** Enters the state and reads it where an operator would. */
export async function enterAndRead({ enter, metrics, lines = [], commands }: State, given: Given): Promise<void> {
  const { world } = given;
  const before = await scrape(world);
  const id = await enter(given);
  for (const metric of metrics)
    await eventually(async () => {
      const value = valueOf(await scrape(world), metric);
      if (metric.least !== undefined) expect(value).toBeGreaterThanOrEqual(metric.least);
      if (metric.most !== undefined) expect(value).toBeLessThanOrEqual(metric.most);
      if (metric.more !== undefined) expect(value - valueOf(before, metric)).toBeGreaterThanOrEqual(metric.more);
      expect(value).not.toBeNaN();
    });
  for (const { event, fields } of lines)
    await eventually(() => expect(world.logged).toContainEqual(expect.objectContaining({ event, ...fields(id) })));
  for (const { line, exit = 0, shows, healed } of commands) {
    if (healed) await given.healed();
    const changes = line.includes('--reason');
    const typed = `${line.replace('ID', id).replace('…', '"an operator test"')}${changes ? ' --yes' : ''}`;
    const read = async () => {
      const { exitCode, value } = await world.json(typed);
      shows(value as never, id);
      expect([typed, exitCode]).toEqual([typed, exit]);
    };
    await (changes ? read() : eventually(read));
  }
}
