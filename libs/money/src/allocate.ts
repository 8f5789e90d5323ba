/**
 * Splits `total` minor units in proportion to `weights`, losing nothing: the parts sum to `total`, and each is within one unit of its exact
 * share. Left-over units go to the largest remainders, earlier ones first. All-zero weights share equally. Throws for a negative total or weight.
 */
export function allocate(total: bigint, weights: readonly bigint[]): bigint[] {
  if (weights.length === 0) throw new RangeError('Bug: nothing to allocate to');
  if (total < 0n || weights.some((weight) => weight < 0n)) throw new RangeError('Bug: totals and weights are never negative');

  const sum = weights.reduce((a, b) => a + b, 0n);
  const effective = sum === 0n ? weights.map(() => 1n) : weights;
  const divisor = sum === 0n ? BigInt(weights.length) : sum;

  const parts = effective.map((weight) => (total * weight) / divisor);
  const left = total - parts.reduce((a, b) => a + b, 0n);
  for (const index of byRemainder(total, effective, divisor).slice(0, Number(left))) parts[index] = (parts[index] ?? 0n) + 1n;
  return parts;
}

function byRemainder(total: bigint, weights: readonly bigint[], divisor: bigint): number[] {
  const remainders = weights.map((weight) => (total * weight) % divisor);
  return remainders
    .map((_, index) => index)
    .sort((a, b) => {
      const [x, y] = [remainders[a] ?? 0n, remainders[b] ?? 0n];
      return x === y ? a - b : x > y ? -1 : 1;
    });
}
