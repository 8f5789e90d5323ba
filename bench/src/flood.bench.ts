import { DeliveryGenerator } from './delivery-generator.js';
import { type Delivered } from './delivery-load.js';
import { flagsOf } from './flags.js';
import { median } from './measure.js';
import { startWebhooks } from './webhooks-stack.js';

/**
 * Whether anybody who sends rubbish to the webhook endpoint can keep Stripe out: GOOD deliveries a second on connections of their own, while BAD well-formed ones with
 * a signature of another secret arrive a second on others. The reference is the same without the flood; rounds alternate.
 * Limits: no good one refused, their p99 at most MAX_P99_MS; the flood counts only when at least MIN_FLOOD of it was answered. `--rounds=N`, `--seconds=N`, `--profile=DIR`.
 */
const flags = flagsOf({ rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '8' }, profile: { type: 'string' } });
const [ROUNDS, SECONDS] = [Number(flags.rounds), Number(flags.seconds)];
const GOOD = { perSecond: 200, connections: 16 };
const BAD = { perSecond: 5_000, connections: 64, different: 500 };
const MAX_P99_MS = 50;
const MIN_FLOOD = 0.95;
/** The flood begins before the first good delivery is measured and ends after the last. */
const AROUND_SECONDS = 1;

const webhooks = await startWebhooks(flags.profile);
const { url } = webhooks;
const secret = webhooks.stack.stripe.webhookSecret;
const [good, bad] = [new DeliveryGenerator(), new DeliveryGenerator()];
try {
  const rounds: { reference: Delivered[]; ours: Delivered[]; flood: Delivered[] } = { reference: [], ours: [], flood: [] };
  await Promise.all([welcome(2), flood(3)]);
  for (let round = 1; round <= ROUNDS; round += 1) {
    rounds.reference.push(say(round, 'without', await welcome(SECONDS)));
    const flooding = flood(SECONDS + 2 * AROUND_SECONDS);
    await new Promise((resolve) => setTimeout(resolve, AROUND_SECONDS * 1_000));
    rounds.ours.push(say(round, 'in it', await welcome(SECONDS)));
    rounds.flood.push(say(round, 'flood', await flooding));
  }
  report(rounds);
} finally {
  good.stop();
  bad.stop();
  await webhooks.stop();
}

function welcome(seconds: number): Promise<Delivered> {
  return good.run({ ...GOOD, ...{ url, seconds, secret }, status: 200 });
}

function flood(seconds: number): Promise<Delivered> {
  return bad.run({ ...BAD, ...{ url, seconds }, secret: ['whsec', 'stolen'].join('_'), status: 400 });
}

function say(round: number, name: string, delivered: Delivered): Delivered {
  console.log(
    `round ${round} ${name.padEnd(7)} ${delivered.perSecond.toFixed(0).padStart(5)}/s  p50 ${delivered.p50Ms.toFixed(1)} ms  p99 ${delivered.p99Ms.toFixed(1)} ms  failed ${delivered.failed}`,
  );
  return delivered;
}

function report({ reference, ours, flood: floods }: { reference: Delivered[]; ours: Delivered[]; flood: Delivered[] }): void {
  const of = (rounds: Delivered[], field: keyof Delivered) => median(rounds.map((round) => round[field]));
  const p99 = of(ours, 'p99Ms');
  const refused = ours.reduce((sum, round) => sum + round.failed, 0);
  const letIn = floods.reduce((sum, round) => sum + round.failed, 0);
  const rate = Math.min(...floods.map(({ perSecond }) => perSecond));
  console.log(
    `${GOOD.perSecond} good deliveries/s beside ${rate.toFixed(0)} bad ones/s (at least ${(BAD.perSecond * MIN_FLOOD).toFixed(0)}): p99 ${p99.toFixed(1)} ms (limit ${MAX_P99_MS}), without them ${of(reference, 'p99Ms').toFixed(1)} ms. Good ones refused: ${refused}. Bad ones not answered 400: ${letIn}.`,
  );
  if (!(p99 <= MAX_P99_MS) || refused > 0 || letIn > 0 || rate < BAD.perSecond * MIN_FLOOD) process.exitCode = 1;
  const figures = { ours: p99, reference: of(reference, 'p99Ms'), ratio: p99 / of(reference, 'p99Ms') };
  console.log(JSON.stringify({ bench: 'flood', ...figures, p50_ms: of(ours, 'p50Ms'), p99_ms: p99, bad_per_second: rate, refused }));
}
