import { describe, expect, it } from '@jest/globals';
import { withoutMailAddresses } from './mail-address.js';

describe('A text that leaves the process', () => {
  it.each([
    ['Invalid email address: ada@example.com.', 'Invalid email address: [mail address].'],
    [
      'Cannot send to "Ada" <ada.l+shop@mail.example.co.uk>, or to bob@example.com',
      'Cannot send to "Ada" <[mail address]>, or to [mail address]',
    ],
    ['{"error":"no such receiver: \\"ada@example.com\\""}', '{"error":"no such receiver: \\"[mail address]\\""}'],
    ['müller@käse.example is unknown', '[mail address] is unknown'],
    ['GET /v1/customers?email=ada%40example.com&limit=1', 'GET /v1/customers?email=[mail address]&limit=1'],
    ['mailto:ada@example.com', 'mailto:[mail address]'],
  ])('says %s without the mail address', (said, clean) => {
    expect(withoutMailAddresses(said)).toBe(clean);
  });

  it.each([
    'at load (/app/node_modules/@tidegate/contracts/dist/payment.js:3:1)',
    'stripe@23.1.0, pino@10.1.0/lib/proto.js',
    'postgres://payments:[secret]@db.internal:5432/tidegate',
    'nats://payments@broker.internal:4222',
    'epoch:position 1:42 @ 10 %',
  ])('keeps %s, which names nobody', (said) => {
    expect(withoutMailAddresses(said)).toBe(said);
  });

  it.each(['\n', '\t', '\u0001', '\ud800', '\\', '"'])('stays JSON where an address follows upon %j', (before) => {
    const line = JSON.stringify({ error: `${before}ada@example.com` });
    expect(JSON.parse(withoutMailAddresses(line))).toEqual({ error: `${before}[mail address]` });
  });

  it.each([
    ['a word', 'a'],
    ['a name with dots', 'a.'],
    ['a host with dots', '@b.'],
    ['an address of a page', '://'],
  ])('is looked through in a time that grows as its length does, were it nothing but %s', (_, said) => {
    /** Of the processor, since others want it too; the least of three. */
    const took = (times: number) => {
      const text = `@${said.repeat(times)}`;
      const once = () => {
        const before = process.threadCpuUsage();
        expect(withoutMailAddresses(text)).toContain('@');
        const { user, system } = process.threadCpuUsage(before);
        return user + system;
      };
      return Math.min(once(), once(), once());
    };
    took(2_000);
    // Ten times as long: about ten times for each character once, a hundred times for each pair of them.
    expect(took(40_000)).toBeLessThan(40 * Math.max(1_000, took(4_000)));
  });
});
