import { expect } from '@jest/globals';
import type { DeadLetterList } from '@tidegate/contracts/ops/dead-letters';
import type { RetryView } from '@tidegate/contracts/ops/retries';
import type { State } from './state.js';

const MINUTE = 60;
const HOUR = 3600;

const waiting =
  (like: object) =>
  ({ data }: { data: RetryView[] }, id: string): void =>
    expect(data).toContainEqual(expect.objectContaining({ payment_id: id, ...like }));
const done = (like: object) => (value: object) => expect(value).toMatchObject({ done: true, result: like });

/** The second table: what waits for another try or look-up, and what was set aside. */
export const WAITING: State[] = [
  {
    state: 'backlog, and how old it is',
    enter: async (given) => {
      const id = await given.queued();
      given.advance(31 * MINUTE);
      return id;
    },
    metrics: [
      { name: 'payments_retry_queue_depth', least: 1 },
      { name: 'payments_retry_oldest_seconds', least: 30 * MINUTE },
    ],
    commands: [{ line: 'retries list', shows: waiting({ status: 'queued', unsent: true }) }],
  },
  {
    state: 'retries that lead nowhere',
    enter: async (given) => {
      const id = await given.unanswered();
      given.advance(31 * MINUTE);
      return id;
    },
    metrics: [{ name: 'payments_retry_attempts_total', labels: { result: 'later' }, more: 1 }],
    commands: [{ line: 'retries list --older-than 30m', exit: 2, shows: waiting({ status: 'unknown', unsent: false }) }],
  },
  {
    state: 'backlog grows although Stripe answers',
    enter: async (given) => {
      given.fault('slow', 'POST /v1/payment_intents', { ms: 400 });
      const accepted = await Promise.all(Array.from({ length: 10 }, () => given.pay({}, { prefer: 'respond-async' })));
      return accepted.at(-1)?.id ?? '';
    },
    metrics: [
      { name: 'payments_retry_queue_depth', least: 3 },
      { name: 'stripe_requests_total', labels: { operation: 'create_intent', result: 'ok' }, more: 1 },
    ],
    commands: [
      {
        line: 'retries list',
        shows: ({ data }: { data: RetryView[] }) => expect(data.filter(({ unsent }) => unsent).length).toBeGreaterThan(0),
      },
    ],
  },
  {
    state: 'queued too long, customers were told',
    enter: async (given) => {
      await given.nothingWaits();
      const id = await given.queued();
      given.advance(2 * HOUR + MINUTE);
      return id;
    },
    metrics: [{ name: 'payments_retry_oldest_seconds', least: 2 * HOUR }],
    commands: [
      {
        line: 'retries dead-letter --older-than 2h --reason …',
        shows: (value: { done: boolean }, id) => {
          expect(value.done).toBe(true);
          expect(JSON.stringify(value)).toContain(id);
        },
      },
    ],
  },
  {
    state: 'a message that can never be handled',
    enter: async ({ world }) => {
      for (const aggregate of ['pay_0000000000000001', 'pay_0000000000000002'])
        await world.query(
          `insert into payments.inbox (consumer, generation, message_id, epoch, aggregate, subject, bytes, state, reason, failures, first_failed_at)
           values ('payments-receipts', 1, gen_random_uuid(), 1, $1, 'receipts.events.receipt.issued.v1', '{}', 'dead', 'no such envelope', 1, now())`,
          [aggregate],
        );
      const { value } = await world.json<DeadLetterList>('dead-letters list --service payments');
      return value.data.find(({ aggregate }) => aggregate === 'pay_0000000000000001')?.id ?? '';
    },
    metrics: [{ name: 'dead_letters', labels: { consumer: 'payments-receipts' }, least: 2 }],
    commands: [
      // Receipts and reconciliation do not run here, and that they are away is a finding, too.
      {
        line: 'dead-letters list',
        exit: 2,
        shows: ({ data }: DeadLetterList, id) => expect(data).toContainEqual(expect.objectContaining({ id })),
      },
      { line: 'dead-letters show ID', shows: (value: object, id) => expect(value).toMatchObject({ id, reason: 'no such envelope' }) },
      { line: 'dead-letters discard ID --reason …', shows: done({}) },
      { line: 'dead-letters replay --consumer payments-receipts --reason …', shows: done({}) },
    ],
  },
];
