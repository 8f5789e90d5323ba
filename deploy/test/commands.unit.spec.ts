import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { RENDERED } from '@tidegate/local-stack/deploy/render-chart';
import { SERVICES } from '@tidegate/messaging/topology';
import { missingIn, refusalOf } from '../../tools/observability/test/accepted.js';
import { tidegateCommands } from '@tidegate/observability/runbooks/page';
import { compose, manifests, ROOT, textOf } from './read-deploy.js';

/** What a container of the image is told: the name of a service, or what `tidegate` is given. */
const told: { where: string; args: string[] }[] = [
  ...manifests(textOf(RENDERED))
    .filter(({ kind }) => ['Deployment', 'Job', 'CronJob'].includes(kind))
    .map(({ kind, metadata, spec }) => ({
      where: `${kind} ${metadata.name}`,
      args: (kind === 'CronJob' ? spec.jobTemplate.spec : spec).template.spec.containers[0].args as string[],
    })),
  ...Object.entries(compose().services)
    .filter(([, { image = '' }]) => image.includes('tidegate:'))
    .map(([name, { command = [] }]) => ({ where: `compose ${name}`, args: command })),
];
const isService = ([word = '', ...more]: readonly string[]) => more.length === 0 && (SERVICES as readonly string[]).includes(word);

describe('What containers of the image are told', () => {
  it('is a service, or a command that there is, with all that it needs and nobody to ask', () => {
    const commands = told.filter(({ args }) => !isService(args) && args[0] !== '--help');
    expect(commands.map(({ where }) => where)).toEqual(['CronJob billing-reconciliation', 'Job migrate-0-1-0', 'compose migrate']);
    expect(commands.flatMap(({ args }) => refusalOf(args) ?? missingIn(args))).toEqual([]);
  });

  it('is each service by its name', () => {
    for (const { where, args } of told.filter(({ args }) => isService(args))) expect(where.split(' ')[1]).toBe(args[0]);
  });
});

describe('The pages of docs and the READMEs', () => {
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    ...['docs', 'docs/adr'].flatMap((folder) => readdirSync(join(ROOT, folder)).map((file) => `${folder}/${file}`)),
    ...['services', 'libs', 'chaos', 'bench', 'tools', 'examples', 'deploy'].flatMap((folder) => readmesIn(folder)),
  ].filter((file) => file.endsWith('.md') && file !== 'tools/cli/README.md');

  it('name commands that there are, with options that they take', () => {
    const faults = pages.flatMap((file) =>
      commandsIn(textOf(file))
        .flatMap((words) => refusalOf(words) ?? [])
        .map((refusal) => `${file}: ${refusal}`),
    );
    expect(pages.flatMap((file) => commandsIn(textOf(file))).length).toBeGreaterThan(30);
    expect(faults).toEqual([]);
  });
});

function readmesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('README.md') && !file.includes('node_modules'))
    .map((file) => `${folder}/${file}`);
}

/** In fences (by themselves, by npx, or run in a container), and between backticks. `tidegate keys` alone is a noun and not a command. */
function commandsIn(text: string): string[][] {
  const fenced = [...text.matchAll(/^ *```\w*\n([\s\S]*?)^ *```$/gm)].map(([, block = '']) =>
    block
      .replaceAll(/^ *(?:docker compose .* run --rm admin|npx tidegate) /gm, 'tidegate ')
      .replaceAll(/^ *(?:[A-Z_]+=\S+ +)+(?:\\\n *[A-Z_]+=\S+ +)*/gm, ''),
  );
  const quoted = [...text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '').matchAll(/`(?:npx )?(tidegate [^`]+)`/g)].map(([, line = '']) => line);
  return [...fenced, ...quoted]
    .flatMap(tidegateCommands)
    .map((words) => words.filter((word) => word !== '\\'))
    .filter((words) => words.length > 1 && !words.some((word) => word.includes('|') || word.includes('…')));
}
