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

  it('writes the pairs of a map as they are set, and none for an empty one', () => {
    const pairs = (fallback: string) =>
      documented(
        z
          .string()
          .default(fallback)
          .transform((text) => new Map(text === '' ? [] : [text.split('=') as [string, string]])),
        { doc: 'Whose.' },
      );
    const text = settingsReference([{ service: 'payments', schema: z.object({ SOME: pairs('own=acme'), NOBODY: pairs('') }) }]);
    expect(text).toContain('| `SOME` | all | `own=acme` |');
    expect(text).toContain('| `NOBODY` | all | none |');
  });
});
