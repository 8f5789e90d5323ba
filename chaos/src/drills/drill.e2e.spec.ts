import { type AddressInfo } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from '@tidegate/cli/program';
import type { ReceiptView } from '@tidegate/contracts/responses';
import { findKit } from '@tidegate/local-stack/programs/find-kit';
import { localEnvironment } from '@tidegate/local-stack/stack/stack-files';
import { allRules } from '@tidegate/observability/alerts/rules';
import { expressions } from '@tidegate/observability/dashboards/dashboards';
import { selectorsOf } from '@tidegate/observability/promql/selectors';
import { filesIn, runbooksFolder } from '@tidegate/observability/repository-files';
import { runbookPages, tidegateCommands } from '@tidegate/observability/runbooks/page';
import { eventually } from '@tidegate/test-harness/eventually';
import { SMTPServer } from 'smtp-server';
import { type Arena, openArena } from '../arena.js';
import { drills } from './drills.js';
import { runDrill } from './run-drill.js';
import { openStage, type Stage } from './stage.js';

// The one drill of `npm test`, on what can be had of Prometheus within seconds; `npm run drill -- all` runs every one and waits for a compiler.
let stage: Stage | null = null;
let arena: Arena;
const mails = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS'],
  onData: (stream, _, done) => void stream.resume().on('end', () => done()),
});
beforeAll(async () => {
  await new Promise<void>((resolve) => void mails.listen(0, '127.0.0.1', resolve));
  const SMTP_URL = `smtp://127.0.0.1:${(mails.server.address() as AddressInfo).port}`;
  const env = { receipts: { SMTP_URL, RECEIPT_MAIL_FROM: 'receipts@shop.example' } };
  const [prometheus, alertmanager] = await Promise.all([
    findKit('prometheus', { patience: 'seconds' }),
    findKit('alertmanager', { patience: 'seconds' }),
  ]);
  if (prometheus !== null) stage = await openStage({ ...drills['breaker-open'], env, withAlertmanager: alertmanager !== null });
  arena = stage?.arena ?? (await openArena({ env }));
}, 180_000);
afterAll(async () => {
  await (stage?.close() ?? arena?.close());
  await new Promise<void>((resolve) => void mails.close(() => resolve()));
}, 60_000);

const whenWatched = (work: (watched: Stage) => Promise<void>) => async () => {
  if (stage === null) return console.warn('Prometheus cannot be had within seconds here: npm run drill compiles it');
  await work(stage);
};

// First, because Prometheus takes some seconds to learn whom it watches.
describe('The runbook', () => {
  it('answers every command that stands beside a step of the reference runbooks', async () => {
    const ids = await idsFor(arena);
    const { text } = filesIn(runbooksFolder(), 'reference-steps.md')[0]!;
    const commands = [...text.matchAll(/`(tidegate [^`]+)`/g)].flatMap(([, line]) => tidegateCommands(line!));
    expect(commands.length).toBeGreaterThan(40);
    const different = new Map(commands.map((words) => [words.join(' '), words]));
    for (const words of different.values()) {
      const args = words.map((word) => ids[word] ?? word);
      const { code, out } = await tidegate(arena, args);
      // 2 says that something was found.
      expect([args.join(' '), code === 1 ? out : '']).toEqual([args.join(' '), '']);
    }
  }, 120_000);
});

describe('When Stripe fails and the breaker opens', () => {
  it(
    'the alert is told, the page is followed as it stands, and nothing is left',
    whenWatched(async (watched) => {
      const result = await runDrill('breaker-open', drills['breaker-open'], watched, () => undefined);
      expect(result).toMatchObject({ result: 'passed' });
    }),
    180_000,
  );
});

describe('A Tidegate that runs', () => {
  it(
    'has data for every expression of the dashboards and every series of the rules',
    whenWatched(async (watched) => {
      await watched.pay();
      // These only speak of what fires, or of what there was more than nothing of.
      const asked = expressions().filter(({ expr }) => !expr.includes('ALERTS'));
      const selectors = [...new Set(allRules().flatMap(({ expr }) => selectorsOf(expr).map(({ metric }) => metric)))];
      await eventually(
        async () => {
          const without: string[] = [];
          for (const { where, expr } of [...asked, ...selectors.map((expr) => ({ where: 'rules', expr }))])
            if ((await watched.query(expr)).length === 0) without.push(`${where}: ${expr}`);
          expect(without).toEqual([]);
        },
        { timeoutMs: 30_000, everyMs: 1_000 },
      );
    }),
    60_000,
  );

  it('takes every query of the runbook', async () => {
    for (const { name, runnables } of runbookPages())
      for (const { language, text } of runnables) {
        if (language === 'sql') await expect(arena.sql(text)).resolves.toBeDefined();
        if (language === 'promql' && stage !== null) await expect([name, await stage.query(text)]).toEqual([name, expect.any(Array)]);
      }
  }, 60_000);
});

/** What the words in capitals stand for. */
async function idsFor({ client, sql }: Arena): Promise<Record<string, string>> {
  const post = async (path: string, body: unknown) => {
    const answer = await client.send({ method: 'POST', path, key: `reference-steps-${path}`, body });
    return (JSON.parse(answer.body) as { id: string }).id;
  };
  const payment = await post('/v1/payments', {
    amount: 4200,
    currency: 'usd',
    payment_method: 'pm_card_visa',
    receipt_email: 'payer@shop.example',
  });
  const checkout = await post('/v1/checkout-sessions', {
    line_items: [{ name: 'Ticket', quantity: 1, unit_amount: 4200 }],
    currency: 'usd',
    success_url: 'https://shop.example/thanks',
    cancel_url: 'https://shop.example/cart',
  });
  const event = await eventually(
    async () => (await sql<{ id: string }>('SELECT stripe_event_id AS id FROM webhooks.stripe_events LIMIT 1'))[0]!.id,
  );
  // It comes a moment after its payment, and can be made anew once it is there.
  const receipt = await eventually(
    async () => {
      const found = (await client.all<ReceiptView>('/v1/receipts')).find((one) => one.payment === payment && one.status === 'rendered');
      if (found === undefined) throw new Error('There is no document yet');
      return found.id;
    },
    { timeoutMs: 30_000 },
  );
  return { PAYMENT: payment, RECEIPT: receipt, CHECKOUT: checkout, EVENT: event, TODAY: new Date().toISOString().slice(0, 10) };
}

/** One command line in this process, at a terminal where nobody sits. */
async function tidegate({ stack }: Arena, args: readonly string[]): Promise<{ code: number; out: string }> {
  let out = '';
  const hear = (text: string) => void (out += text);
  const code = await run(args, {
    out: hear,
    err: hear,
    interactive: false,
    colors: false,
    env: localEnvironment(stack),
    cwd: stack.dir,
    input: Readable.from(['']),
    output: new PassThrough(),
  });
  return { code, out };
}
