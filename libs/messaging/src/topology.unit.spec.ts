import { describe, expect, it } from '@jest/globals';
import { messagingFailpoints } from './messaging-failpoints.js';
import { DURABLES, natsPermissions, natsPermissionsOfConsumer, SERVICES, STREAMS } from './topology.js';

const covers = (allowed: readonly string[], subject: string): boolean =>
  allowed.some((pattern) => new RegExp(`^${pattern.replace(/[$.]/g, '\\$&').replace(/\*/g, '[^.]+').replace(/>$/, '.+')}$`).test(subject));

describe('When the topology is given to the users of the broker', () => {
  it('names each durable after its service, once', () => {
    for (const { durable, service } of DURABLES) expect(durable.startsWith(`${service}-`)).toBe(true);
    expect(new Set(DURABLES.map((one) => one.durable)).size).toBe(DURABLES.length);
  });

  it.each(SERVICES)('lets %s publish its own events only, and delete no stream and no durable', (service) => {
    const { publish } = natsPermissions(service);
    for (const { owner, subjects, stream } of STREAMS) {
      expect(covers(publish.allow, subjects[0]?.replace('>', 'x.y.v1') ?? '')).toBe(owner === service);
      expect(covers(publish.allow, `$JS.API.STREAM.CREATE.${stream}`)).toBe(owner === service);
      expect(covers(publish.allow, `$JS.API.STREAM.DELETE.${stream}`)).toBe(false);
      expect(covers(publish.allow, `$JS.API.STREAM.PURGE.${stream}`)).toBe(false);
    }
    for (const durable of DURABLES) {
      expect(covers(publish.allow, `$JS.API.CONSUMER.CREATE.${durable.stream}.${durable.durable}`)).toBe(durable.service === service);
      expect(covers(publish.allow, `$JS.ACK.${durable.stream}.${durable.durable}.1.2.3.4.5`)).toBe(durable.service === service);
      expect(covers(publish.allow, `$JS.API.CONSUMER.DELETE.${durable.stream}.${durable.durable}`)).toBe(false);
    }
  });

  it.each(SERVICES)('lets %s listen to its own inbox and requests only', (service) => {
    const { subscribe } = natsPermissions(service);
    for (const other of SERVICES) {
      expect(covers(subscribe.allow, `_INBOX_${other}.x.1`)).toBe(other === service);
      expect(covers(subscribe.allow, `${other}.rpc.x.y.v1`)).toBe(other === service);
    }
  });

  it('lets a service follow a stream by an ephemeral consumer where the topology says so, and touch no durable with that', () => {
    for (const { stream } of STREAMS) {
      expect(covers(natsPermissions('gateway').publish.allow, `$JS.API.CONSUMER.CREATE.${stream}`)).toBe(stream === 'PAYMENTS_EVENTS');
      expect(covers(natsPermissions('receipts').publish.allow, `$JS.API.CONSUMER.CREATE.${stream}`)).toBe(false);
    }
    for (const verb of ['CREATE', 'DURABLE.CREATE', 'MSG.NEXT', 'DELETE', 'INFO'])
      expect(covers(natsPermissions('gateway').publish.allow, `$JS.API.CONSUMER.${verb}.PAYMENTS_EVENTS.receipts-payments`)).toBe(false);
  });

  it('lets every caller be answered', () => {
    expect(covers(natsPermissions('payments').publish.allow, '_INBOX_gateway.x.1')).toBe(true);
    expect(covers(natsPermissions('gateway').publish.allow, '_INBOX_receipts.x.1')).toBe(true);
    expect(covers(natsPermissions('receipts').publish.allow, '_INBOX_payments.x.1')).toBe(true);
    expect(covers(natsPermissions('payments').publish.allow, '_INBOX_OUTSIDE.shop.x.1')).toBe(true);
    expect(covers(natsPermissions('gateway').publish.allow, '_INBOX_OUTSIDE.shop.x.1')).toBe(false);
  });

  it('lets a consumer outside read what it consumes and nothing else', () => {
    const { publish, subscribe } = natsPermissionsOfConsumer('shop', [
      { durable: 'shop-payments', stream: 'PAYMENTS_EVENTS', service: 'shop' },
    ]);
    expect(covers(publish.allow, '$JS.API.CONSUMER.CREATE.PAYMENTS_EVENTS.shop-payments')).toBe(true);
    expect(covers(publish.allow, 'payments.rpc.outbox.read.v1')).toBe(true);
    expect(covers(publish.allow, 'payments.rpc.payment.create.v1')).toBe(false);
    expect(covers(publish.allow, 'payments.events.payment.succeeded.v1')).toBe(false);
    expect(subscribe.allow).toEqual(['_INBOX_OUTSIDE.shop.>']);
    expect(() => natsPermissionsOfConsumer('payments', [])).toThrow('is a service of Tidegate');
  });

  it('lists the failpoints of relay and inbox', () => {
    expect(messagingFailpoints('gateway')).toEqual([]);
    expect(messagingFailpoints('receipts')).toEqual([
      'receipts.relay.stamp.before_commit',
      'receipts.relay.stamp.after_commit',
      'receipts.relay.publish.before_call',
      'receipts.relay.publish.after_call',
      'receipts.event_replay.page.before_commit',
      'receipts.event_replay.page.after_commit',
      'receipts.event_replay.swap.before_commit',
      'receipts.event_replay.swap.after_commit',
      'receipts.receipts-payments.store.before_commit',
      'receipts.receipts-payments.store.after_commit',
      'receipts.receipts-payments.handle.before_commit',
      'receipts.receipts-payments.handle.after_commit',
      'receipts.receipts-payments.ack.before_call',
      'receipts.receipts-payments.ack.after_call',
    ]);
  });
});
