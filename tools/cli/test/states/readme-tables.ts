export interface Documented {
  state: string;
  /** Metrics without their labels, and log lines. */
  seen: string[];
  commands: string[];
}

/** The rows of every table that has a column for the command: what stands in backticks, except what is explained in brackets. */
export function statesIn(markdown: string): Documented[] {
  const lines = markdown.split('\n');
  const rows: Documented[] = [];
  let inside = false;
  for (const line of lines) {
    const cells = line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim());
    if (cells.length === 0) inside = false;
    else if (cells[2]?.startsWith('Command (')) inside = true;
    else if (inside && !/^-+$/.test(cells[0] ?? ''))
      rows.push({
        state: cells[0] ?? '',
        seen: [...new Set(code(cells[1]).map((name) => name.replace(/\{.*\}$/, '')))],
        commands: code(cells[2]).filter((text) => /^[a-z-]+ /.test(text)),
      });
  }
  return rows;
}

const code = (cell = ''): string[] => [...cell.replace(/\([^)]*\)/g, '').matchAll(/`([^`]+)`/g)].map(([, text]) => text ?? '');
