import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@tidegate/test-harness/eventually';
import { natsForTests, type TestNats } from '@tidegate/test-harness/nats';
import { connectBroker } from '../src/connection.js';
import { quiet } from './support/world.js';

describe('When the credentials of the broker change', () => {
  let nats: TestNats;
  beforeAll(async () => {
    const only = (subject: string) => ({ publish: { allow: [subject] }, subscribe: { allow: ['_INBOX_OUTSIDE.>', subject] } });
    nats = await natsForTests({
      users: [
        { user: 'before', password: 'one', permissions: only('for.before') },
        { user: 'after', password: 'two', permissions: only('for.after') },
      ],
    });
  });
  afterAll(() => nats.stop());

  it('the next connection is made with the new ones', async () => {
    let url = nats.url('before');
    const broker = await connectBroker({ servers: () => url, name: 'rotated', service: 'test', logger: quiet });
    const echoes = async (subject: string) => {
      const nc = await broker.connection();
      const heard = nc.subscribe(subject, { max: 1 });
      nc.publish(subject, 'echo');
      const timer = setTimeout(() => heard.unsubscribe(), 500);
      for await (const message of heard) {
        clearTimeout(timer);
        return message.string();
      }
      return null;
    };
    expect(await echoes('for.before')).toBe('echo');

    url = nats.url('after');
    await nats.restart();
    await eventually(async () => expect(await echoes('for.after')).toBe('echo'));
    await broker.drain();
  });
});
