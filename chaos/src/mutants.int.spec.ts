import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { misfit, mutantsIn } from './mutant.js';

const root = join(import.meta.dirname, '..', '..');
const mutants = mutantsIn(join(root, 'chaos', 'mutants'));

describe('The deliberate defects', () => {
  it('are at least the twelve that a suite about money must notice', () => {
    expect(mutants.length).toBeGreaterThanOrEqual(12);
  });

  it.each(mutants)('$name still fits the sources and names specs that exist', (mutant) => {
    expect(misfit(mutant, root)).toBeNull();
    expect(mutant.specs.filter((spec) => !existsSync(join(root, spec)))).toEqual([]);
  });
});
