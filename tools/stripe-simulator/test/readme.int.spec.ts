import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { HTTP_FAULTS, LATE_FAULTS, WEBHOOK_FAULTS } from '../src/faults/fault.js';
import { routes } from '../src/routes.js';
import { supportTable } from '../src/support-table.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

describe('The README', () => {
  it('lists exactly the supported operations', () => {
    expect(/<!-- operations -->\n\n([^]*?)\n\n<!-- \/operations -->/.exec(readme)?.[1]).toBe(supportTable(routes));
  });

  it('explains every fault', () => {
    for (const fault of [...HTTP_FAULTS, ...WEBHOOK_FAULTS, ...LATE_FAULTS]) expect(readme).toContain(`\`${fault}\``);
  });
});
