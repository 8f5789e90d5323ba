import { encode } from 'uqr';

/** A QR code of the text as one SVG path in modules, without a quiet zone, which the template leaves around it. Error correction M: a printed page gets folded. */
export function qrCode(text: string): string {
  const { data, size } = encode(text, { ecc: 'M', border: 0 });
  const runs = data.flatMap((row, y) => runsOf(row).map(([from, to]) => `M${from} ${y}h${to - from}v1H${from}z`));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}"><path d="${runs.join('')}"/></svg>`;
}

/** Where a row is dark, from and to. */
function runsOf(row: readonly boolean[]): [from: number, to: number][] {
  const runs: [number, number][] = [];
  for (let x = 0; x < row.length; x += 1) {
    if (!row[x]) continue;
    const from = x;
    while (row[x]) x += 1;
    runs.push([from, x]);
  }
  return runs;
}
