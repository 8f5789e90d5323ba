import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type StripeOutcome, type StripePort } from './port.js';
import { unquoted, withoutQuotes } from './without-quotes.js';

const refusal = (message: string): StripeOutcome<never> => ({ kind: 'rejected', status: 400, code: null, param: null, message });
const refusing = (message: string) => withoutQuotes(new Proxy({}, { get: () => () => Promise.resolve(refusal(message)) }) as StripePort);
const ids = { tenant_id: 'default', command_id: 'cmd_customer_create_1' };

describe('The text of a failure', () => {
  it.each([
    ['a mail address', 'Invalid email address: ada@example', 'Invalid email address: [mail address]'],
    ['a name', "Invalid string: 'Ada Lovelace' has too many characters", "Invalid string: '[…]' has too many characters"],
    ['a value of metadata', 'Invalid value: her shoe size (40+).', 'Invalid value: […].'],
    ['words of which one is part of the other', 'Ada Lovelace or Ada?', '[…] or […]?'],
  ])('names no person by %s that the request said', async (_what, message, clean) => {
    const metadata = { ...ids, note: 'her shoe size (40+)', first: 'Ada' };
    const outcome = await refusing(message).createCustomer({ email: 'ada@example', name: 'Ada Lovelace', metadata }, 'key');
    expect(outcome).toEqual(refusal(clean));
  });

  it('never holds what was said, whatever that was', () => {
    const any = fc.string({ unit: 'binary', minLength: 2 }).filter((said) => said.trim() !== '');
    fc.assert(
      fc.property(any, (said) => {
        expect(unquoted(refusal(`Invalid: '${said}'`), [said])).not.toMatchObject({ message: expect.stringContaining(`'${said}'`) });
      }),
    );
  });

  it('keeps our own ids and keys, which tell an operator what the call was about', async () => {
    const message = "Keys can only be used with the same parameters: 'cmd_customer_create_1:customer:1' of default";
    expect(await refusing(message).createCustomer({ metadata: ids }, 'cmd_customer_create_1:customer:1')).toEqual(refusal(message));
  });

  it("keeps Stripe's own words where a name is part of them", async () => {
    expect(await refusing('Invalid currency').createCustomer({ name: 'Al', metadata: { n: 'val', i: '  ' } }, 'key')).toEqual(
      refusal('Invalid currency'),
    );
  });

  it('names nobody whom the request did not name either', async () => {
    expect(await refusing('The customer ada@example.com was deleted').retrieveCustomer('cus_1')).toEqual(
      refusal('The customer [mail address] was deleted'),
    );
  });

  it.each<StripeOutcome<string>>([
    { kind: 'ok', value: 'ada@example.com', requestId: null },
    { kind: 'refused', retryAfterMs: 1 },
  ])('is nothing to an outcome without one', (outcome) => {
    expect(unquoted(outcome, ['ada@example.com'])).toBe(outcome);
  });
});
