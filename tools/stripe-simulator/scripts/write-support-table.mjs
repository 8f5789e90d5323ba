// Rewrites the table of operations in README.md from the built routes. Usage: node scripts/write-support-table.mjs (after a build)
import { readFileSync, writeFileSync } from 'node:fs';
import { routes } from '../dist/routes.js';
import { supportTable } from '../dist/support-table.js';

const readme = new URL('../README.md', import.meta.url);
const between = /(<!-- operations -->\n)[^]*?(<!-- \/operations -->)/;
writeFileSync(
  readme,
  readFileSync(readme, 'utf8').replace(between, (_, open, close) => `${open}\n${supportTable(routes)}\n\n${close}`),
);
