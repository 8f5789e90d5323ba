import { describe, expect, it } from '@jest/globals';
import { scrub } from './scrub.js';

describe('A password in a URL', () => {
  it.each([
    ['postgres://gateway:hunter2@db:5432/tidegate', 'postgres://gateway:[secret]@db:5432/tidegate'],
    ['nats://a:b@one,nats://c:d@two', 'nats://a:[secret]@one,nats://c:[secret]@two'],
    ['smtp://user:pa:ss/word@mail', 'smtp://user:[secret]@mail'],
    ['redis://:hunter2@cache:6379', 'redis://:[secret]@cache:6379'],
    ['nats://:a@one,nats://c:d@two', 'nats://:[secret]@one,nats://c:[secret]@two'],
    ['http://host/a://:b@c', 'http://host/a://:[secret]@c'],
    ['at http://one/two postgres://u:p@db', 'at http://one/two postgres://u:[secret]@db'],
    ['{"url":"postgres://u:p@db"}', '{"url":"postgres://u:[secret]@db"}'],
    ['http://host:8080/path', 'http://host:8080/path'],
    ['http://host:8080/a http://b@c', 'http://host:8080/a http://b@c'],
    ['postgres://u:@db', 'postgres://u:@db'],
    ['postgres://:@db', 'postgres://:@db'],
    ['http://:8080/path', 'http://:8080/path'],
  ])('is taken out of %s', (text, clean) => {
    expect(scrub(text)).toBe(clean);
  });
});

describe('A long text', () => {
  const [SHORT, LONG] = [16 * 1024, 128 * 1024];
  const filled = (unit: string, length: number) => unit.repeat(Math.ceil(length / unit.length));

  it.each([
    ['://a:'],
    ['://:'],
    ['://:b@'],
    ['://'],
    ['://a:b@'],
    ['4242 4242 4242 4242,'],
    ['4242424242424242 '],
    ['sk_'],
    ['a@b.'],
    ['%40a'],
    ['1 '],
    ['Bearer '],
  ])('of %j costs as much per character as a short one', (unit) => {
    const least: Record<number, number> = {};
    for (let round = 0; round < 3; round += 1)
      for (const length of [SHORT, LONG]) {
        const text = filled(unit, length);
        const before = process.cpuUsage();
        scrub(text);
        const { user, system } = process.cpuUsage(before);
        least[length] = Math.min(least[length] ?? Infinity, user + system);
      }
    // Eight times the length; the square of it would be 64 times the work.
    expect(least[LONG]).toBeLessThan(24 * Math.max(least[SHORT] ?? 0, 1000));
  });
});
