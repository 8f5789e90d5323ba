import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { settingsReference } from './settings-reference.js';
import { documented, wholeNumber } from './settings.js';

describe('The configuration reference', () => {
  it('lists each setting once, with who reads it, its default, unit and meaning', () => {
    const port = (fallback: number) => documented(wholeNumber().default(fallback), { doc: 'TCP port.' });
    const text = settingsReference([
      { service: 'gateway', schema: z.object({ PORT: port(3000), KEY: documented(z.string(), { doc: 'A | B', secret: true }) }) },
      {
        service: 'payments',
        schema: z.object({ PORT: port(3002), WAIT: documented(wholeNumber().default(5), { doc: 'Waits.', unit: 'seconds' }) }),
      },
    ]);

    expect(text).toContain('| `PORT` | all | `3000`, `3002` |  | TCP port. |');
    expect(text).toContain('| `KEY` | gateway | **required** |  | A \\| B Secret. |');
    expect(text).toContain('| `WAIT` | payments | `5` | seconds | Waits. |');
  });
});
