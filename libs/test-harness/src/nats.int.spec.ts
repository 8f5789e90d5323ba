import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type TestNats, natsForTests } from './nats.js';

describe('When a test asks for a nats-server', () => {
  let nats: TestNats;
  beforeAll(async () => {
    nats = await natsForTests({
      users: [
        { user: 'admin', password: 'secret' },
        { user: 'narrow', password: 'secret', permissions: { publish: { allow: ['open.>'] }, subscribe: { allow: ['_INBOX.>'] } } },
      ],
    });
  });
  afterAll(() => nats.stop());

  it('keeps its store over a kill and loses it by a wipe', async () => {
    await publishOne(nats);
    await nats.kill();
    await nats.start();
    expect(await streams(nats)).toEqual(['S']);

    await nats.wipe();
    expect(await streams(nats)).toEqual([]);
  });

  it('holds users to their permissions', async () => {
    const connection = await connect(nats.connectOptions('narrow'));
    const refusal = (async () => {
      for await (const status of connection.status()) if (status.type === 'error') return String(status.error);
      return 'none';
    })();
    connection.publish('closed.subject', '');
    expect(await refusal).toContain('closed.subject');
    await connection.close();
  });

  it('keeps its port over a restart', async () => {
    const { port } = nats;
    await nats.restart();
    expect(nats.port).toBe(port);
    expect(await streams(nats)).toEqual([]);
  });
});

async function publishOne(nats: TestNats): Promise<void> {
  const connection = await connect(nats.connectOptions());
  await (await jetstreamManager(connection)).streams.add({ name: 'S', subjects: ['s.>'] });
  await jetstream(connection).publish('s.one', 'x');
  await connection.close();
}

async function streams(nats: TestNats): Promise<string[]> {
  const connection = await connect(nats.connectOptions());
  const names: string[] = [];
  for await (const name of (await jetstreamManager(connection)).streams.names()) names.push(name);
  await connection.close();
  return names;
}
