import { describe, expect, it } from '@jest/globals';
import { withoutSecrets } from './without-secrets.js';

/** Built at run time: no card number stands in the repository. */
const CARD = ['4242', '4242', '4242', '4242'].join('');

describe('A message that is shown', () => {
  it('has no secrets, wherever they stand, and is otherwise as it was', () => {
    const message = {
      data: {
        client_secret: 'pi_1_secret_abcdef',
        n: 2,
        list: [{ webhook_secret: 1 }],
        note: `paid with ${CARD} and sk_test_abcdefghijkl`,
      },
      secrets_fingerprint: 'ab12',
    };
    const shown = withoutSecrets(message);
    expect(shown).toMatchObject({
      data: { client_secret: '[redacted]', n: 2, list: [{ webhook_secret: '[redacted]' }] },
      secrets_fingerprint: 'ab12',
    });
    expect(JSON.stringify(shown)).not.toContain(CARD);
    expect(JSON.stringify(shown)).not.toContain('abcdef');
  });

  it.each([[null], ['no JSON at all'], [[1, 2]], [undefined]])('may be %j', (payload) => {
    expect(withoutSecrets(payload)).toEqual(payload ?? null);
  });
});
