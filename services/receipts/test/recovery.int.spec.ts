import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Database } from '@tidegate/database/database';
import { connectBroker } from '@tidegate/messaging/connection';
import { natsForTests, type TestNats } from '@tidegate/test-harness/nats';
import type { TestDatabase } from '@tidegate/test-harness/postgres';
import { recoverReceipts, type RecoveryParts } from '../src/recovery/recovery.flow.js';
import type { Tables } from '../src/tables.js';
import { connect, receiptsDatabase, silent } from './receipts-database.js';

let database: TestDatabase;
let opened: Database<Tables>;
let nats: TestNats;
beforeAll(async () => {
  [database, nats] = await Promise.all([receiptsDatabase(), natsForTests()]);
  opened = connect(database);
});
afterAll(async () => {
  await opened.close();
  await database.drop();
  await nats.stop();
});

const recover = (more: Partial<RecoveryParts> = {}) =>
  recoverReceipts({
    db: opened.db,
    broker: null,
    logger: silent,
    now: new Date('2026-11-22T06:00:00.000Z'),
    numberFormat: '{series}-{year}-{sequence:6}',
    publicUrl: null,
    sellers: [],
    upTo: {},
    ...more,
  });
const brokerAt = (servers: string) => connectBroker({ servers, name: 'receipts-recover', service: 'receipts', logger: silent });

describe('Receipt numbers after a restore', () => {
  it('that nobody has but somebody knows of are lost, once, however often they are recovered', async () => {
    const upTo = { 'acme/R/2026': 2 };
    expect(await recover({ upTo })).toEqual({ found: [], lost: ['acme R-2026-000001', 'acme R-2026-000002'], stream: 'not_asked' });
    expect(await recover({ upTo })).toEqual({ found: [], lost: [], stream: 'not_asked' });
  });

  it('are not said to be none where the broker has no stream of them', async () => {
    const broker = await brokerAt(nats.url());
    try {
      expect(await recover({ broker })).toEqual({ found: [], lost: [], stream: 'not_there' });
    } finally {
      await broker.drain();
    }
  });

  it('are not waited for for ever where no broker answers', async () => {
    const broker = await brokerAt('nats://127.0.0.1:1');
    try {
      await expect(recover({ broker, brokerAnswersWithinMs: 200 })).rejects.toThrow('does not answer within 0.2 s');
    } finally {
      await broker.drain();
    }
  });
});
