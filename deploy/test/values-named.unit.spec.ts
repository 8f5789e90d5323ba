import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { textOf } from './read-deploy.js';

const page = textOf('docs/deploy.md').split('## On Kubernetes')[1] ?? '';
const values = parse(textOf('deploy/kubernetes/tidegate/values.yaml')) as Record<string, unknown>;
const at = (path: string): unknown =>
  path.split('.').reduce((within: unknown, key) => (within as Record<string, unknown> | undefined)?.[key], values);

describe('The page on deploying', () => {
  it('names values that the chart has', () => {
    const named = [...page.matchAll(/`([a-z][A-Za-z]*(?:\.[A-Za-z0-9_]+)+)`/g)].flatMap(([, path = '']) =>
      /\.(conf|env|json|mjs|yaml)$/.test(path) ? [] : path,
    );
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((path) => at(path) === undefined)).toEqual([]);
  });

  it('has helm wait for longer than the migration job may take', () => {
    const minutes = Number(/^helm upgrade .* --timeout (\d+)m$/m.exec(page)?.[1]);
    expect(minutes * 60).toBeGreaterThan(at('migrations.activeDeadlineSeconds') as number);
  });
});
