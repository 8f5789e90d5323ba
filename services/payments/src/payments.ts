import { type Failpoints } from '@tidegate/database/failpoints';
import { Breakers, type BreakerChange } from '@tidegate/stripe-gateway/with-breaker';
import { breakerHandlers } from './breakers/breaker.rpc.js';
import { withTelemetry } from '@tidegate/stripe-gateway/with-telemetry';
import { withBreaker } from '@tidegate/stripe-gateway/with-breaker';
import { type StripePort } from '@tidegate/stripe-gateway/port';
import { type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { type BreakerRules } from '@tidegate/resilience/breaker';
import { type Logger } from '@tidegate/telemetry/logger';
import { type Metrics } from '@tidegate/telemetry/metrics';
import { type Kysely } from 'kysely';
import { CarryOn } from './payment/carry-on.flow.js';
import { DecisionWriter } from './payment/decision-writer.js';
import { IntentFinder } from './payment/intent-finder.js';
import { PaymentFlow } from './payment/payment.flow.js';
import { PaymentLoop } from './payment/payment.loop.js';
import { PaymentMetrics } from './payment/payment.metrics.js';
import { readHandlers } from './payment/payment.read.js';
import { commandHandlers, type RouteHandler } from './payment/payment.rpc.js';
import { Recorder } from './payment/recorder.js';
import { repairHandlers } from './payment/repair.rpc.js';
import { soughtSoon } from './payment/sought.js';
import { StripeCalls } from './payment/stripe-calls.js';
import { ReceiptsConsumer } from './receipts/receipts.consumer.js';
import { retryHandlers } from './retries/retries.rpc.js';
import { StripeEventsConsumer } from './stripe-events/stripe-events.consumer.js';
import { type PaymentsTables } from './tables.js';
import { LeaseKeeper } from './work/lease-keeper.js';
import { Signals } from './work/signals.js';
import { wakeAll } from './work/wake.js';

/** What payments needs of the world. */
export interface PaymentsPorts {
  db: Kysely<PaymentsTables>;
  /** The bare adapter; breaker and telemetry are put around it here. */
  stripe: StripePort;
  failpoints: Failpoints;
  clock: { now(): Date };
  logger: Logger;
  metrics: Metrics;
  instance: string;
  random(): number;
  /** New outbox rows are committed. */
  onCommitted(): void;
  /** A payment has work that is due: run the loop. */
  onWork(): void;
}

export interface PaymentsSettings {
  livemode: boolean;
  runMs: number;
  answerMs: number;
  windowMs: number;
  absenceMs: number;
  unmarked: 'adopt' | 'foreign';
  /** Payments that the loop of a process carries on at once. */
  concurrency: number;
  breaker: BreakerRules;
}

export interface PaymentsParts {
  handlers: Partial<Record<RpcSubject, RouteHandler>>;
  stripeEvents: StripeEventsConsumer;
  receipts: ReceiptsConsumer;
  breakers: Breakers;
  /** One pass over the payments whose time has come; answers how many were begun. */
  carryOnOnce(patienceMs: number): Promise<number>;
  /** Resolves when nothing is in hand; then stops renewing leases. */
  stop(): Promise<void>;
}

/** The parts of the service joined with ports and settings; the same in production and in tests. */
export function payments(ports: PaymentsPorts, settings: PaymentsSettings): PaymentsParts {
  const { db, logger, clock, failpoints, instance, onCommitted, onWork } = ports;
  const breakers = new Breakers({ rules: settings.breaker, onChange: (change) => breakerChanged(ports, change) });
  registerBreakers(ports.metrics, breakers);
  const stripe = withTelemetry(withBreaker(ports.stripe, breakers), { metrics: ports.metrics, logger });
  const metrics = new PaymentMetrics(ports.metrics, logger, db, () => clock.now());
  const calls = new StripeCalls({ db, stripe, failpoints });
  const writer = new DecisionWriter({ db, failpoints });
  const shared = { db, failpoints, writer, clock, signals: new Signals(), metrics, onCommitted, onWork };
  const keeper = new LeaseKeeper(db, logger);
  const carrying = {
    ...shared,
    calls,
    finder: new IntentFinder({ stripe, clock, soughtSoon: () => soughtSoon(db, clock.now()) }),
    recorder: new Recorder(shared),
    keeper,
    logger,
    breakers,
    random: ports.random,
    absenceMs: settings.absenceMs,
  };
  const carryOn = new CarryOn(carrying);
  const flow = new PaymentFlow({ ...carrying, carryOn, instance, runMs: settings.runMs, answerMs: settings.answerMs });
  const loop = new PaymentLoop({ db, clock, carryOn, metrics, logger, instance, concurrency: settings.concurrency });
  const rules = { livemode: settings.livemode, unmarked: settings.unmarked };

  return {
    handlers: {
      ...commandHandlers({ flow, stripe: calls.at('payments.customer.check'), clock, windowMs: settings.windowMs }),
      ...readHandlers({ db, clock, onWork }),
      ...retryHandlers({ ...shared, logger }),
      ...breakerHandlers({ db, clock, logger, instance, changed: () => Promise.resolve() }),
      ...repairHandlers({ db, stripe, failpoints, clock, rules, onCommitted, onWork }),
    },
    stripeEvents: new StripeEventsConsumer({ db, stripe, clock, rules, metrics, onCommitted, onWork }),
    receipts: new ReceiptsConsumer(),
    breakers,
    carryOnOnce: (patienceMs) => loop.runOnce(patienceMs),
    stop: async () => {
      await Promise.all([flow.idle(), loop.idle()]);
      keeper.stop();
    },
  };
}

const NAMES = ['stripe', 'stripe_reads'] as const;
const STATES = { closed: 0, open: 1, half_open: 2 } as const;
const LOG_EVENTS = { closed: 'circuit_breaker_closed', open: 'circuit_breaker_open', half_open: 'circuit_breaker_half_open' } as const;

function registerBreakers(metrics: Metrics, breakers: Breakers): void {
  metrics.gauge('circuit_state', '0 closed, 1 open, 2 half-open.', { breaker_name: NAMES }, (gauge) => {
    for (const name of NAMES) gauge.set({ breaker_name: name }, STATES[breakers.state(name)]);
  });
}

/** Once Stripe answers again, everything that waits for it is due. */
function breakerChanged({ db, clock, logger, onWork }: PaymentsPorts, change: BreakerChange): void {
  logger[change.to === 'open' ? 'warn' : 'info'](
    { event: LOG_EVENTS[change.to], target: change.breaker, from: change.from },
    `Breaker ${change.breaker}: ${change.to}`,
  );
  if (change.to !== 'closed') return;
  wakeAll(db, `${change.breaker}:${Date.now()}`, clock.now()).then(onWork, (err: unknown) =>
    logger.warn({ event: 'wake_failed', err }, 'Waiting payments keep to their schedule'),
  );
}
