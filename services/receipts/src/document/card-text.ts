const BRANDS: Record<string, string> = {
  visa: 'Visa',
  mastercard: 'Mastercard',
  amex: 'American Express',
  discover: 'Discover',
  diners: 'Diners Club',
  jcb: 'JCB',
  unionpay: 'UnionPay',
};

/** `{brand: 'visa', last4: '4242'}` -> `Visa •••• 4242`. */
export function cardText(card: { brand: string; last4: string }): string {
  return `${BRANDS[card.brand] ?? card.brand} •••• ${card.last4}`;
}
