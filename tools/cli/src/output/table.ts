import Table from 'cli-table3';

const NO_LINES = {
  ...Object.fromEntries(
    [
      'top',
      'top-mid',
      'top-left',
      'top-right',
      'bottom',
      'bottom-mid',
      'bottom-left',
      'bottom-right',
      'left',
      'left-mid',
      'mid',
      'mid-mid',
    ].map((name) => [name, '']),
  ),
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** Rows under their heads, aligned, without lines that would be in the way of `grep` and `awk`. Empty cells are shown as `-`. */
export function table(heads: readonly string[], rows: readonly (readonly (string | number | null | undefined)[])[]): string {
  const grid = new Table({ chars: NO_LINES, style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true } });
  grid.push([...heads]);
  for (const row of rows) grid.push(row.map((cell) => (cell === null || cell === undefined || cell === '' ? '-' : String(cell))));
  return trimmed(grid.toString());
}

/** Names and values, one pair a line. */
export function facts(pairs: readonly (readonly [string, string | number | null | undefined])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs
    .map(([name, value]) => `${name.padEnd(width)}  ${value === null || value === undefined || value === '' ? '-' : value}\n`)
    .join('');
}

const trimmed = (text: string): string =>
  `${text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
