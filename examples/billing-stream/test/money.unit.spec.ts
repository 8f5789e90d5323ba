import { describe, expect, it } from '@jest/globals';
import { currencies } from '@tidegate/money/currency';

const { money } = (await import(new URL('../page/money.js', import.meta.url).href)) as {
  money(amount: number, currency: string): string;
};

describe('An amount on the page', () => {
  it.each([...currencies()])('is read with the decimals that Stripe counts $code in', ({ code, exponent }) => {
    const figures = money(1_234_560, code).replace(/[^\d.]/g, '');
    expect(figures).toBe((1_234_560 / 10 ** exponent).toFixed(exponent));
  });
});
