import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { API_VERSION } from './adapter.js';

/** How far a probe has come. */
export type Phase = 'dns' | 'tcp' | 'tls' | 'answer';

/** Milliseconds since the start at which each phase was over. */
export type Timings = Partial<Record<Phase, number>>;

/** What one request to Stripe met with. */
export type Probed =
  | { kind: 'no_answer'; phase: Phase; timedOut: boolean; code: string | null; message: string; timings: Timings }
  | {
      kind: 'answer';
      status: number;
      headers: http.IncomingHttpHeaders;
      body: string;
      /** Wall-clock milliseconds when the request went out and when the head of the answer came. */
      sentAt: number;
      answeredAt: number;
      timings: Timings;
    };

export interface ProbeOptions {
  secretKey: string;
  /** Stripe's own when absent. */
  apiBase?: string;
  /** For the whole of it. */
  deadlineMs: number;
}

export const STRIPE_API_BASE = 'https://api.stripe.com';

/**
 * Asks Stripe for the account on a connection of its own, so that every step of it is seen, and says what came of it. It goes through no breaker, limiter or
 * telemetry and moves nothing: it is how a person finds out why calls fail, also while none may be made. Never rejects.
 */
export function probeStripe({ secretKey, apiBase = STRIPE_API_BASE, deadlineMs }: ProbeOptions): Promise<Probed> {
  const url = new URL('/v1/account', apiBase);
  const secure = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const startedAt = performance.now();
  const timings: Timings = {};
  let phase: Phase = isIP(host) === 0 ? 'dns' : 'tcp';
  const passed = (done: Phase, next: Phase) => {
    timings[done] = Math.round(performance.now() - startedAt);
    phase = next;
  };

  return new Promise((resolve) => {
    const sentAt = Date.now();
    const request = (secure ? https : http).request(url, {
      agent: false,
      headers: { authorization: `Bearer ${secretKey}`, 'stripe-version': API_VERSION, accept: 'application/json' },
    });
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      request.destroy(new Error(`nothing within ${deadlineMs} ms`));
    }, deadlineMs);
    const end = (probed: Probed) => {
      clearTimeout(timer);
      request.destroy();
      resolve(probed);
    };
    const fail = (error: NodeJS.ErrnoException) =>
      end({ kind: 'no_answer', phase, timedOut, code: error.code ?? null, message: messageOf(error), timings });

    request.once('error', fail);
    request.once('socket', (socket) => {
      socket.on('lookup', (error: Error | null) => !error && phase === 'dns' && passed('dns', 'tcp'));
      socket.once('connect', () => passed('tcp', secure ? 'tls' : 'answer'));
      socket.once('secureConnect', () => passed('tls', 'answer'));
    });
    request.once('response', (response) => {
      const answeredAt = Date.now();
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', fail);
      response.once('close', () => {
        if (!response.complete) return fail(new Error('the connection was lost within the answer'));
        passed('answer', 'answer');
        const body = Buffer.concat(chunks).toString('utf8');
        end({ kind: 'answer', status: response.statusCode ?? 0, headers: response.headers, body, sentAt, answeredAt, timings });
      });
    });
    request.end();
  });
}

/** Several addresses were tried in vain: one of the reasons will do. */
function messageOf(error: Error): string {
  const [first] = (error as Partial<AggregateError>).errors ?? [];
  return error.message || (first instanceof Error ? first.message : 'no reason given');
}
