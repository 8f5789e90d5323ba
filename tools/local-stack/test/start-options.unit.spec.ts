import { describe, expect, it } from '@jest/globals';
import { parseStartOptions } from '../src/commands/start-options.js';

describe('When npm start is given arguments', () => {
  it('has defaults for all of them', () => {
    expect(parseStartOptions([])).toEqual({
      once: false,
      detach: false,
      supervised: false,
      observability: false,
      replicas: {},
      portBase: 3000,
    });
  });

  it('takes replicas and a port base', () => {
    expect(parseStartOptions(['--once', '--replicas', 'payments=3,gateway=2', '--port-base', '4000'])).toMatchObject({
      once: true,
      replicas: { payments: 3, gateway: 2 },
      portBase: 4000,
    });
  });

  it.each([
    [['--replicas', 'payment=2'], '--replicas names "payment"; the services are gateway, webhooks, payments, reconciliation, receipts.'],
    [['--replicas', 'payments=0'], '--replicas payments must be a whole number from 1 to 99, not "0".'],
    [['--replicas', 'payments=2,gateway=2,payments=3'], '--replicas names payments twice; say once how many.'],
    [['--port-base', 'x'], '--port-base must be a whole number from 1 to 56000, not "x".'],
    [['--once', '--detach'], '--once and --detach exclude each other.'],
    [
      ['--onec'],
      `Unknown option '--onec'. Known are --once, --detach, --observability, --replicas payments=3,gateway=2 and --port-base N.`,
    ],
  ])('refuses %j in one sentence', (args, sentence) => {
    expect(() => parseStartOptions(args)).toThrow(sentence);
  });
});
