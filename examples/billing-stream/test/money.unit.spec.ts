import { beforeAll, describe, expect, it } from '@jest/globals';
import { currencies } from '@tidegate/money/currency';

interface Page {
  money(amount: number, currency: string): string;
}

let page: Page;
beforeAll(async () => {
  page = (await import(new URL('../page/money.js', import.meta.url).href)) as Page;
});

describe('An amount on the page', () => {
  it.each([...currencies()])('is read with the decimals that Stripe counts $code in', ({ code, exponent }) => {
    const figures = page.money(1_234_560, code).replace(/[^\d.]/g, '');
    expect(figures).toBe((1_234_560 / 10 ** exponent).toFixed(exponent));
  });
});
