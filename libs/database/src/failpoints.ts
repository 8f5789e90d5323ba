import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Logger } from '@tidegate/telemetry/logger';

/** Places where a test may kill, delay or fail a process; in production nothing is armed and a hit costs a map look-up. */
export interface Failpoints {
  hit(name: string): Promise<void>;
}

export const noFailpoints: Failpoints = { hit: () => Promise.resolve() };

/** Thrown by the action `error`. */
export class FailpointError extends Error {
  constructor(readonly failpoint: string) {
    super(`The failpoint ${failpoint} failed this on purpose`);
    this.name = 'FailpointError';
  }
}

type Action = { kind: 'kill' } | { kind: 'error' } | { kind: 'delay'; ms: number };
interface Armed {
  action: Action;
  /** Fires at the n-th hit only; null at each. */
  nth: number | null;
  hits: number;
}

/**
 * Arms failpoints from `name:action[:nth][,…]` (TIDEGATE_FAILPOINT); an action is `kill`, `error` or `delay(ms)`. With `nth` it fires at the n-th hit
 * of this process only, without it at every hit. Throws for a name that is not in `known`, so that a misspelt test cannot pass by never firing.
 */
export function failpointsFrom(spec: string | undefined, known: readonly string[], logger: Logger): Failpoints {
  if (spec === undefined || spec.trim() === '') return noFailpoints;
  const armed = new Map<string, Armed[]>();
  for (const entry of spec.split(',')) {
    const [name, action, nth] = entry.trim().split(':');
    if (name === undefined || !known.includes(name)) throw new Error(`TIDEGATE_FAILPOINT: there is no failpoint "${name}"`);
    armed.set(name, [...(armed.get(name) ?? []), { action: parseAction(name, action), nth: parseNth(name, nth), hits: 0 }]);
    logger.warn({ event: 'failpoint_armed', name, action, nth: nth ?? null }, 'A failpoint is armed');
  }
  return { hit: (name) => fire(name, armed.get(name)) };
}

/** Runs a call to another system between its two failpoints `<name>.before_call` and `<name>.after_call`. */
export async function atCall<R>(failpoints: Failpoints, name: string, call: () => Promise<R>): Promise<R> {
  await failpoints.hit(`${name}.before_call`);
  const result = await call();
  await failpoints.hit(`${name}.after_call`);
  return result;
}

/** The two failpoint names around each of these transactions. */
export const commitFailpoints = (...steps: string[]): string[] =>
  steps.flatMap((step) => [`${step}.before_commit`, `${step}.after_commit`]);

/** The two failpoint names around each of these calls. */
export const callFailpoints = (...steps: string[]): string[] => steps.flatMap((step) => [`${step}.before_call`, `${step}.after_call`]);

async function fire(name: string, candidates: Armed[] | undefined): Promise<void> {
  if (!candidates) return;
  for (const one of candidates) {
    one.hits += 1;
    if (one.nth !== null && one.nth !== one.hits) continue;
    // Synchronous: the line must be out before the process is gone.
    writeSync(2, `${JSON.stringify({ event: 'failpoint_hit', name, action: one.action.kind, at: new Date().toISOString() })}\n`);
    await act(name, one.action);
  }
}

async function act(name: string, action: Action): Promise<void> {
  if (action.kind === 'error') throw new FailpointError(name);
  if (action.kind === 'delay') return void (await delay(action.ms));
  process.kill(process.pid, 'SIGKILL');
  await new Promise(() => undefined);
}

function parseAction(name: string, text: string | undefined): Action {
  if (text === 'kill' || text === 'error') return { kind: text };
  const ms = /^delay\((\d+)\)$/.exec(text ?? '')?.[1];
  if (ms === undefined) throw new Error(`TIDEGATE_FAILPOINT: ${name} has the action "${text}"; it must be kill, error or delay(ms)`);
  return { kind: 'delay', ms: Number(ms) };
}

function parseNth(name: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`TIDEGATE_FAILPOINT: ${name} has the count "${text}"; it must be a whole number from 1`);
  return Number(text);
}
