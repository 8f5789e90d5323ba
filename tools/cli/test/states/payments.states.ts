import { expect } from '@jest/globals';
import type { OperatorPaymentDetail, OperatorPaymentView, PaymentStatsView } from '@tidegate/contracts/ops/payments';
import { eventually } from '@tidegate/test-harness/eventually';
import type { Given, State } from './state.js';

const MINUTE = 60;
const HOUR = 3600;
const DAY = 24 * HOUR;

const pending = (status: string, least: number) => ({ name: 'payments_pending_oldest_seconds', labels: { status }, least });
const listed =
  (like: object) =>
  ({ data }: { data: OperatorPaymentView[] }, id: string): void =>
    expect(data).toContainEqual(expect.objectContaining({ id, ...like }));
const shown =
  (like: object) =>
  (value: OperatorPaymentDetail): void =>
    expect(value).toMatchObject(like);
const paidIn = (given: Given, id: string, status: string) =>
  eventually(async () => {
    const { value } = await given.world.json<OperatorPaymentView>(`payments show ${id}`);
    expect(value.status).toBe(status);
  });

/** The first table: payments and what became of them. */
export const PAYMENTS: State[] = [
  {
    state: 'unknown: Stripe gave no answer',
    enter: async (given) => {
      const id = await given.unanswered();
      given.advance(31 * MINUTE);
      return id;
    },
    metrics: [pending('unknown', 30 * MINUTE)],
    commands: [
      {
        line: 'payments list --status unknown --older-than 30m',
        exit: 2,
        shows: listed({ status: 'unknown', stripe_payment_intent: expect.stringMatching(/^pi_/) }),
      },
      {
        line: 'payments resolve ID --reason …',
        healed: true,
        shows: ({ result }) => expect(result).toMatchObject({ status: 'succeeded' }),
      },
    ],
  },
  {
    state: 'unknown without PaymentIntent id',
    enter: async (given) => {
      given.fault('reset_before', 'POST /v1/payment_intents');
      given.fault('error_503', 'GET /v1/payment_intents');
      const { id } = await given.pay();
      given.advance(31 * MINUTE);
      return id;
    },
    metrics: [{ name: 'payments_without_intent_oldest_seconds', least: 30 * MINUTE }],
    commands: [
      {
        line: 'payments list --without-intent --older-than 30m',
        exit: 2,
        shows: listed({ status: 'unknown', stripe_payment_intent: null }),
      },
    ],
  },
  {
    state: 'queued',
    enter: async (given) => {
      const id = await given.queued();
      given.advance(31 * MINUTE);
      return id;
    },
    metrics: [pending('queued', 30 * MINUTE)],
    commands: [{ line: 'payments list --status queued', shows: listed({ status: 'queued', work: expect.objectContaining({}) }) }],
  },
  {
    state: 'waiting for the payer',
    enter: async (given) => {
      const { id } = await given.pay({ payment_method: 'pm_card_threeDSecure2Required', return_url: 'https://shop.example/back' });
      given.advance(31 * MINUTE);
      return id;
    },
    metrics: [pending('requires_action', 30 * MINUTE)],
    commands: [{ line: 'payments list --status requires_action', shows: listed({ status: 'requires_action' }) }],
  },
  {
    state: 'processing (a delayed method)',
    enter: async (given) => {
      const { id, stripe_payment_intent } = await given.pay({ payment_method: undefined, return_url: 'https://shop.example/back' });
      await given.stripe(`payment_intents/${stripe_payment_intent}/confirm`, {
        payment_method: 'pm_usBankAccount_processing',
        return_url: 'https://shop.example/back',
        'mandate_data[customer_acceptance][type]': 'offline',
      });
      await paidIn(given, id, 'processing');
      given.advance(31 * MINUTE);
      return id;
    },
    metrics: [pending('processing', 30 * MINUTE)],
    commands: [{ line: 'payments list --status processing', shows: listed({ status: 'processing' }) }],
  },
  {
    state: 'authorized, not captured (7 days)',
    enter: async (given) => {
      const { id } = await given.pay({ capture_method: 'manual' });
      given.advance(6 * DAY + HOUR);
      return id;
    },
    metrics: [pending('authorized', 6 * DAY)],
    commands: [{ line: 'payments list --status authorized --older-than 6d', exit: 2, shows: listed({ status: 'authorized' }) }],
  },
  {
    state: 'declines, failure rate',
    enter: async (given) => (await given.pay({ payment_method: 'pm_card_visa_chargeDeclined' })).id,
    metrics: [{ name: 'payments_attempts_total', labels: { result: 'declined' }, more: 1 }],
    commands: [
      {
        line: 'payments stats',
        shows: ({ data }: PaymentStatsView) => expect(data).toContainEqual(expect.objectContaining({ status: 'requires_payment_method' })),
      },
      {
        line: 'payments list --status requires_payment_method --newest',
        shows: listed({ failure: expect.objectContaining({ code: 'card_declined' }) }),
      },
    ],
  },
  {
    state: 'disputed',
    enter: async (given) => {
      const { id, stripe_payment_intent } = await given.pay();
      await given.dashboard('dispute', { payment_intent: stripe_payment_intent });
      return id;
    },
    metrics: [
      { name: 'payments_disputes', labels: { status: 'needs_response' }, more: 1 },
      { name: 'payments_dispute_respond_by_seconds', least: DAY, most: 60 * DAY },
    ],
    lines: [{ event: 'payment_dispute_changed', fields: (id) => ({ payment_id: id, to: 'needs_response' }) }],
    commands: [{ line: 'payments show ID', shows: shown({ status: 'succeeded', dispute: { status: 'needs_response' } }) }],
  },
  {
    state: 'what happened to one payment',
    enter: async (given) => (await given.pay()).id,
    metrics: [{ name: 'payments_duration_seconds_count', labels: { outcome: 'succeeded' }, more: 1 }],
    lines: [{ event: 'payment_state_changed', fields: (id) => ({ payment_id: id, to: 'succeeded' }) }],
    commands: [
      {
        line: 'payments show ID',
        shows: ({ events }: OperatorPaymentDetail) => {
          expect(events.length).toBeGreaterThan(3);
          for (const event of events)
            expect(event).toMatchObject({ at: expect.stringMatching(/Z$/), summary: expect.stringMatching(/\.$/) });
        },
      },
    ],
  },
];
