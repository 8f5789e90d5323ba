import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { realProduct } from '@tidegate/local-stack/stack/real-product';
import { messagingFailpoints } from '@tidegate/messaging/messaging-failpoints';
import { ofAPayment, reachable } from './failpoint-kills.js';

const ROOT = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const around = (step: string, what: 'call' | 'commit'): string[] => [`${step}.before_${what}`, `${step}.after_${what}`];

/** Where `npm test` ends a real process by SIGKILL, and the words by which the spec names it. */
const KILLED_BY: readonly { spec: string; says: readonly string[]; names: (name: string) => boolean }[] = [
  { spec: 'chaos/src/random-payments.attack.spec.ts', says: ['torment', 'report.killedAt', 'filter(ofAPayment)'], names: ofAPayment },
  {
    spec: 'libs/messaging/test/consumer-crash.int.spec.ts',
    says: ["messagingFailpoints('payments')", "messagingFailpoints('receipts')", '.relay.', '.receipts-payments.', 'SIGKILL'],
    names: (name) => name.startsWith('payments.relay.') || name.startsWith('receipts.receipts-payments.'),
  },
  named('services/webhooks/test/killed.e2e.spec.ts', [
    ...around('webhooks.ingest.insert', 'commit'),
    ...around('webhooks.replay.take', 'commit'),
  ]),
  {
    spec: 'libs/messaging/test/event-replays.int.spec.ts',
    says: [...around('page', 'commit'), ...around('swap', 'commit'), 'event_replay', 'SIGKILL'],
    names: (name) => name.includes('.event_replay.'),
  },
  named('services/receipts/test/killed.e2e.spec.ts', [
    ...around('receipts.receipts-payments.handle', 'commit'),
    ...around('receipts.render.compile', 'call'),
    ...around('receipts.render.store', 'commit'),
    ...around('receipts.render.fail', 'commit'),
  ]),
];

function named(spec: string, names: readonly string[]): (typeof KILLED_BY)[number] {
  return { spec, says: [...names, 'SIGKILL'], names: (name) => names.includes(name) };
}

/** The instants at which a kill is worst. */
const WORST: readonly [instant: string, failpoint: string][] = [
  ...['create', 'confirm', 'capture', 'cancel', 'refund'].flatMap((operation): [string, string][] => [
    [`a ${operation} is accepted and not begun`, `payments.${operation}.accept.after_commit`],
    [`a ${operation} is about to reach Stripe`, `payments.${operation}.${operation === 'create' ? 'intent' : operation}.before_call`],
    [
      `a ${operation} is done at Stripe and not recorded`,
      `payments.${operation}.${operation === 'create' ? 'intent' : operation}.after_call`,
    ],
  ]),
  ['an event is stamped and not published', 'payments.relay.stamp.after_commit'],
  ['an event is published and not marked so', 'payments.relay.publish.after_call'],
  ['a message is stored and not acknowledged', 'payments.payments-stripe-events.store.after_commit'],
  ['a message is acknowledged and not handled', 'payments.payments-stripe-events.ack.after_call'],
  ['a message is handled and not committed', 'payments.payments-stripe-events.handle.before_commit'],
  ['a delivery is inserted and not answered', 'webhooks.ingest.insert.after_commit'],
  ['a receipt is numbered and not rendered', 'receipts.render.compile.before_call'],
];

let failpoints: readonly string[];
beforeAll(async () => {
  failpoints = await realProduct.failpoints();
});

describe('The failpoints', () => {
  it.each(WORST)('kill while %s (%s) under npm test', (_, failpoint) => {
    expect(failpoints).toContain(failpoint);
    expect(KILLED_BY.some(({ names }) => names(failpoint))).toBe(true);
  });

  it.each(KILLED_BY)('of $spec stand in it', ({ spec, says, names }) => {
    const text = read(spec);
    expect(says.filter((words) => !text.includes(words))).toEqual([]);
    expect(failpoints.filter(names)).not.toEqual([]);
  });

  it('of every service are killed at, by npm test or by npm run chaos', () => {
    expect(failpoints.filter((name) => !reachable(name) && !KILLED_BY.some(({ names }) => names(name)))).toEqual([]);
    expect(failpoints).toEqual(expect.arrayContaining(messagingFailpoints('payments')));
  });

  it('are listed, each that the source hits, and hit, each that is listed', () => {
    const places = placesInSource();
    const listed = [...new Set(failpoints.map((name) => name.replace(/\.(before|after)_(call|commit)$/, '')))];
    expect(places.filter(({ pattern }) => !listed.some((name) => pattern.test(name))).map(({ text }) => text)).toEqual([]);
    expect(listed.filter((name) => !places.some(({ pattern }) => pattern.test(name)))).toEqual([]);
  });
});

/** Strings of the form `<service>.<operation>.<step>` in the source: besides subjects of the broker (`<service>.rpc.…`), only places with failpoints are named so. */
function placesInSource(): { text: string; pattern: RegExp }[] {
  const part = String.raw`(?:[\w-]|\$\{[^}]+\})+`;
  const place = new RegExp(`(['\`])(${part}\\.${part}\\.${part})\\1`, 'g');
  const files = globSync(['services/*/src/**/*.ts', 'libs/messaging/src/**/*.ts'], { cwd: ROOT }).filter(
    (file) => !/spec\.ts$|failpoints\.ts$/.test(file),
  );
  const texts = new Set(files.flatMap((file) => [...read(file).matchAll(place)].map((match) => match[2]!)));
  return [...texts]
    .filter((text) => /^(\$\{[^}]*(service|owner)\}|payments|webhooks|receipts|reconciliation|gateway)\./i.test(text))
    .filter((text) => !/^[^.]+\.rpc\./.test(text))
    .map((text) => ({ text, pattern: new RegExp(`^${text.replaceAll(/\$\{[^}]+\}|\./g, standsFor)}$`) }));
}

function standsFor(part: string): string {
  if (part === '.') return '\\.';
  return /operation/i.test(part) ? '(create|confirm|capture|cancel|refund)' : '[\\w-]+';
}
