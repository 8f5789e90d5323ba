import { type IncomingMessage, type Server, createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { expect } from '@jest/globals';
import Stripe from 'stripe';
import { type Simulator, type SimulatorOptions, startSimulator } from '../src/simulator.js';

export const KEY = 'sk_test_givenkey0001';
export const SECRET = 'whsec_given_secret';

export interface Received {
  readonly path: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
  readonly event: Stripe.Event;
}

/** An endpoint that records what it gets; `answerWith` decides the status. */
export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  answerWith: (received: Received) => number;
  close(): Promise<void>;
}

export interface Given {
  readonly simulator: Simulator;
  readonly stripe: Stripe;
  readonly receiver: Receiver;
  /** Ends everything and fails when an answer or event did not match the API description. */
  end(): Promise<void>;
}

/** A simulator with one webhook endpoint and an official SDK client without retries of its own. */
export async function givenSimulator(options: SimulatorOptions = {}): Promise<Given> {
  const receiver = await startReceiver();
  const simulator = await startSimulator({
    seed: 1,
    apiKeys: [KEY],
    webhooks: [{ url: receiver.url, secrets: [SECRET] }],
    deliverySchedule: [20, 20, 20],
    balanceDelayMs: 20,
    refundUpdateDelayMs: 20,
    debitDelayMs: 20,
    disputeDelayMs: 20,
    disputeDecisionMs: 20,
    selfCheck: true,
    ...options,
  });
  return {
    simulator,
    stripe: sdk(simulator),
    receiver,
    end: async () => {
      await simulator.close();
      await receiver.close();
      expect(simulator.world.selfCheck?.faults ?? []).toEqual([]);
    },
  };
}

export function sdk(simulator: Simulator, config: Stripe.StripeConfig = {}): Stripe {
  return new Stripe(KEY, {
    host: simulator.host,
    port: simulator.port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
    ...config,
  });
}

async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const receiver = { received, answerWith: (): number => 200 } as unknown as { -readonly [K in keyof Receiver]: Receiver[K] };
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      const one = { path: request.url ?? '', body, headers: request.headers, event: JSON.parse(body) as Stripe.Event };
      received.push(one);
      response.writeHead(receiver.answerWith(one)).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`;
  receiver.close = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return receiver;
}

/** Waits until `read` gives something true; fails after `withinMs` with what was last seen. */
export async function eventually<T>(read: () => T | Promise<T>, withinMs = 20_000): Promise<NonNullable<T>> {
  const endMs = Date.now() + withinMs;
  for (;;) {
    const value = await read();
    if (value) return value;
    if (Date.now() > endMs) throw new Error(`Not within ${withinMs} ms: ${String(read)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The error that a call ends in. */
export async function errorOf(call: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  try {
    await call;
  } catch (error) {
    return error as Stripe.errors.StripeError;
  }
  throw new Error('The call succeeded, but an error was expected');
}

/** Calls a control route. */
export async function control(
  simulator: Simulator,
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; value: never }> {
  const response = await fetch(`${simulator.url}${path}`, { method, ...(body && { body: JSON.stringify(body) }) });
  return { status: response.status, value: (await response.json()) as never };
}

/** A confirmed payment that can't redirect. */
export const PAY = {
  amount: 2_000,
  currency: 'usd',
  confirm: true,
  payment_method: 'pm_card_visa',
  automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
} as const satisfies Stripe.PaymentIntentCreateParams;
