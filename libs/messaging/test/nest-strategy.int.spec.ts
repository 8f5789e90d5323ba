import { Controller, Module, UseFilters } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { noFailpoints } from '@tidegate/database/failpoints';
import { eventually } from '@tidegate/test-harness/eventually';
import { listDeadLetters } from '../src/dead-letters.js';
import { PermanentFailure } from '../src/incoming.js';
import { type EventContext, JetStreamStrategy } from '../src/nest/jetstream.strategy.js';
import { KeepErrorsFilter } from '../src/nest/keep-errors.filter.js';
import { RpcClient, RpcFailed, RpcUnavailable } from '../src/rpc.js';
import { Subscriber } from '../src/subscriber.js';
import { effectsOf, FAST, quiet, recordEffect, World } from './support/world.js';

jest.setTimeout(60_000);

@Controller()
@UseFilters(KeepErrorsFilter)
class ReceiptsController {
  @MessagePattern('receipts.rpc.receipt.get.v1')
  async get(@Payload() request: { id: string }): Promise<{ id: string }> {
    if (request.id === 'none') throw new Error('there is no such receipt');
    return { id: request.id };
  }

  @EventPattern('receipts-payments')
  async onPayment(@Payload() envelope: { data: { n: number } }, @Ctx() context: unknown): Promise<void> {
    if (envelope.data.n === 2) throw new PermanentFailure('two is refused');
    const { tx, message } = context as EventContext;
    await recordEffect(tx, message);
  }
}

@Module({ controllers: [ReceiptsController] })
class ReceiptsModule {}

describe('When a Nest service runs on the JetStream strategy', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.open();
  });
  afterEach(() => world.close());

  it('answers requests, handles events in their transactions, and stops in order', async () => {
    const payments = await world.owner('payments');
    const receipts = await world.member('receipts');
    const strategy = new JetStreamStrategy({
      broker: receipts.broker,
      service: 'receipts',
      subscriber: (durable, handler) =>
        new Subscriber({
          ...receipts,
          failpoints: noFailpoints,
          logger: quiet,
          clock: { now: () => new Date() },
          service: 'receipts',
          durable,
          stream: 'PAYMENTS_EVENTS',
          handler,
          timing: FAST,
        }),
    });
    const app = await NestFactory.createMicroservice(ReceiptsModule, { strategy, logger: false });
    await app.listen();

    await payments.publish('payment:pay_1', 1);
    await payments.publish('payment:pay_2', 2);
    await payments.publish('payment:pay_1', 3);

    await eventually(async () => expect((await effectsOf(receipts.db, 'receipts-payments')).map((effect) => effect.n)).toEqual([1, 3]));
    await eventually(async () =>
      expect(await listDeadLetters(receipts.db)).toMatchObject([
        { aggregate: 'payment:pay_2', reason: 'PermanentFailure: two is refused' },
      ]),
    );

    const client = new RpcClient((await world.member('gateway')).broker);
    await eventually(async () => expect(await client.request('receipts.rpc.receipt.get.v1', { id: 'rcp_1' })).toEqual({ id: 'rcp_1' }));
    await expect(client.request('receipts.rpc.receipt.get.v1', { id: 'none' })).rejects.toThrow(RpcFailed);
    await app.close();
    await expect(client.request('receipts.rpc.receipt.get.v1', { id: 'rcp_1' })).rejects.toThrow(RpcUnavailable);
  });
});
