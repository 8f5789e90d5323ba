import { describe, expect, it } from '@jest/globals';
import { withCorrelation } from './correlation.js';
import { createLogger, type LogFields } from './logger.js';

function logged(write: (logger: ReturnType<typeof createLogger>) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  write(createLogger({ service: 'payments', level: 'debug', destination: { write: (line) => void lines.push(line) } }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

const secrets = {
  'a Stripe key': ['sk', 'test', 'a1B2c3D4e5F6'].join('_'),
  'a restricted key': ['rk', 'live', 'a1B2c3D4e5F6'].join('_'),
  'a signing secret': ['whsec', 'a1B2c3D4e5F6'].join('_'),
  'an API key': ['tg', 'test', 'abcdefgh', 'a1B2c3D4e5F6a1B2c3D4'].join('_'),
  'a mail address': 'ada.lovelace@example.com',
  'a client secret': ['pi', '3Abc', 'secret', 'a1B2c3D4e5F6'].join('_'),
  'a bearer header': 'Bearer a1B2c3D4e5F6',
  'a database URL': 'postgres://payments:hunter2@localhost/tidegate',
  'a card number': ['4242', '4242', '4242', '4242'].join(' '),
};

describe('A log line', () => {
  it('is one JSON object with timestamp, level, service, event, correlation_id and trace_id', () => {
    const [line] = withCorrelation('cor_1', () =>
      logged((logger) => logger.info({ event: 'payment_state_changed', payment_id: 'pay_1' }, 'changed')),
    );

    expect(line).toMatchObject({
      level: 'info',
      service: 'payments',
      event: 'payment_state_changed',
      correlation_id: 'cor_1',
      trace_id: null,
      payment_id: 'pay_1',
      message: 'changed',
    });
    expect(new Date(line?.['timestamp'] as string).toISOString()).toBe(line?.['timestamp']);
  });

  it('keeps the fields of its child logger', () => {
    const [line] = logged((logger) => logger.child({ consumer: 'receipts-payments' }).warn({ event: 'inbox_retry' }));
    expect(line).toMatchObject({ level: 'warn', consumer: 'receipts-payments' });
  });

  it.each(Object.entries(secrets))('never shows %s, in a message, a field, a nested field or an error', (_name, secret) => {
    const places: ((logger: ReturnType<typeof createLogger>) => void)[] = [
      (logger) => logger.info({ event: 'e' }, `it was ${secret}`),
      (logger) => logger.info({ event: 'e', field: secret }),
      (logger) => logger.info({ event: 'e', deep: { list: [secret] } }),
      (logger) => logger.error({ event: 'e', err: new Error(`failed with ${secret}`, { cause: new Error(secret) }) }),
      (logger) => logger.child({ field: secret }).info({ event: 'e' }),
    ];
    for (const place of places)
      expect(JSON.stringify(logged(place))).not.toContain(secret.replace(/^Bearer |^postgres:\/\/payments:|@.*$/g, ''));
  });

  it('hides fields whose name says that they are secret, whatever they hold', () => {
    const fields: LogFields = { event: 'e', password: 'x1', client_secret: 'x2', authorization: 'x3' };
    const [line] = logged((logger) => logger.info(fields));
    expect(line).toMatchObject({ password: '[redacted]', client_secret: '[redacted]', authorization: '[redacted]' });
  });

  it('cannot be split by a line break in a value', () => {
    const lines = logged((logger) => logger.info({ event: 'e', field: 'a\r\n{"event":"forged"}' }));
    expect(lines).toHaveLength(1);
  });
});
