import { formatAmount } from '@tidegate/money/amount';

/** 4200 usd -> `42.00 USD`, with the decimals that Stripe counts the currency in. */
export const money = (amount: number, currency: string): string => formatAmount(BigInt(amount), currency);
