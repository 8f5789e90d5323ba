import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { misfit, mutantsIn } from './mutant.js';
import { copyTree } from './mutant-tree.js';

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

describe('The copy of the sources that is broken', () => {
  it('has every file, and links to folders as links', () => {
    const tree = copyTree(root);
    try {
      const link = 'deploy/kubernetes/tidegate/files/alerts';
      expect(readlinkSync(join(tree.root, link))).toBe(readlinkSync(join(root, link)));
      expect(readdirSync(join(tree.root, link)).length).toBeGreaterThan(0);
      expect(readdirSync(join(tree.root, 'chaos', 'mutants'))).toEqual(readdirSync(join(root, 'chaos', 'mutants')));
    } finally {
      tree.remove();
    }
  });
});
