import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { ROOT, settings, textOf } from './read-deploy.js';

/** What is written like a setting and is none: streams, what the command, the brokers and other programs are told. */
const OTHERS = /^(TIDEGATE|OTEL|NATS|STRIPE_CLI)_|_(EVENTS|DATABASE_URL)$|^STRIPE_(API_KEY|WEBHOOK_URL)$/;

it('Settings that pages, rules and the texts of drills name are ones that services read', () => {
  const known = settings();
  const begins = new Set([...known.keys()].filter((name) => name.includes('_')).map((name) => name.split('_')[0]));
  const unknown = pages().flatMap((file) =>
    [...new Set(textOf(file).match(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g))]
      .filter((name) => begins.has(name.split('_')[0]) && !OTHERS.test(name))
      .filter((name) => !known.has(name) && !known.has(name.replace(/_FILE$/, '')))
      .map((name) => `${file}: ${name}`),
  );
  expect(pages().length).toBeGreaterThan(100);
  expect(unknown).toEqual([]);
});

function pages(): string[] {
  return ['docs', 'services', 'libs', 'tools', 'chaos', 'bench', 'examples', 'deploy']
    .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`))
    .filter((file) => !/node_modules|\/dist\/|\/bundle\/|docs\/generated\/(configuration|licences)/.test(file))
    .filter((file) => /\.md$|\.rules\.yaml$|drills\/catalogue\.ts$/.test(file) && !file.includes('kubernetes/tidegate/files'))
    .concat('README.md', 'SECURITY.md', 'CONTRIBUTING.md');
}
