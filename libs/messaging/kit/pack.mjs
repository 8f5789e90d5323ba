// Makes the consumer kit: `@tidegate/contracts` and `@tidegate/messaging` as npm packages for consumers outside Tidegate, with type declarations and without
// any other package of this repository. What messaging needs of the internal libraries goes into its package. Usage: node libs/messaging/kit/pack.mjs FOLDER
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const kit = join(root, 'libs/messaging/kit');
const manifestIn = (folder) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
const workspace = manifestIn('.');

/** A handler gets a transaction of the consumer's own kysely: there must be one only. */
const PEERS = ['kysely'];

const contracts = {
  name: 'contracts',
  description: 'What crosses a boundary of Tidegate: event envelopes, subjects, one schema per message',
  readme: join(root, 'libs/contracts/README.md'),
  /** Libraries whose files are in the package, each as `<library>/dist` beside `<library>/migrations`, as in this repository. */
  libraries: ['contracts'],
  migrations: [],
  /** What may be imported; everything else is the package's own business. */
  entries: { '*': 'contracts/dist/*' },
};
const messaging = {
  name: 'messaging',
  description: "Consumes Tidegate's events with exactly-once effect, in order per aggregate, from a database of your own",
  readme: join(kit, 'README.md'),
  libraries: ['messaging', 'database', 'telemetry'],
  migrations: ['messaging', 'database'],
  entries: {
    consumer: 'messaging/dist/consumer',
    'consumer-schema': 'messaging/dist/consumer-schema',
    'park-unknown': 'messaging/dist/park-unknown',
    'dead-letters': 'messaging/dist/dead-letters',
    subscriber: 'messaging/dist/subscriber',
    topology: 'messaging/dist/topology',
    logger: 'telemetry/dist/logger',
  },
};

const [, , target] = process.argv;
if (target === undefined) throw new Error('Which folder? node libs/messaging/kit/pack.mjs FOLDER');
const folder = resolve(target);
const work = mkdtempSync(join(tmpdir(), 'tidegate-kit-'));
try {
  const compiled = join(work, 'compiled');
  compile(compiled);
  const staged = [contracts, messaging].map((parts) => stage(join(work, parts.name), compiled, parts));
  mkdirSync(folder, { recursive: true });
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder, ...staged];
  const packed = JSON.parse(execFileSync('npm', args, { cwd: work, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));
  for (const { filename } of packed) console.log(join(folder, filename));
} finally {
  rmSync(work, { recursive: true });
}

/** JavaScript and declarations of the entry points and of everything that they reach, as `<library>/src/*`. */
function compile(outDir) {
  const tsc = join(root, 'node_modules/typescript/lib/tsc.js');
  execFileSync(process.execPath, [tsc, '-p', join(kit, 'tsconfig.json'), '--outDir', outDir], { stdio: 'inherit' });
}

/** Makes a package's folder as it will be packed; answers its path. */
function stage(to, compiled, { name, description, readme, libraries, migrations, entries }) {
  const needed = new Set();
  for (const library of libraries) {
    const src = join(compiled, library, 'src');
    for (const file of readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => /\.[jt]s$/.test(file))) {
      const path = join(to, library, 'dist', file);
      const text = withOwnImports(readFileSync(join(src, file), 'utf8'), dirname(path), to, libraries);
      for (const one of packagesIn(text)) needed.add(one);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
  }
  for (const library of migrations) cpSync(join(root, 'libs', library, 'migrations'), join(to, library, 'migrations'), { recursive: true });
  cpSync(readme, join(to, 'README.md'));
  cpSync(join(root, 'LICENSE'), join(to, 'LICENSE'));
  const exported = ([entry, file]) => [`./${entry}`, { types: `./${file}.d.ts`, default: `./${file}.js` }];
  const manifest = {
    name: `@tidegate/${name}`,
    description,
    version: manifestIn(`libs/${name}`).version,
    license: workspace.license,
    type: 'module',
    engines: { node: '>=22' },
    publishConfig: { access: 'public' },
    exports: Object.fromEntries(Object.entries(entries).map(exported)),
    dependencies: ranges([...needed].filter((one) => !PEERS.includes(one))),
    peerDependencies: ranges([...needed].filter((one) => PEERS.includes(one))),
  };
  writeFileSync(join(to, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return to;
}

/** Imports of a library that is in the package are imports of its files. */
function withOwnImports(text, from, to, libraries) {
  return text.replace(/(['"])@tidegate\/([^/'"\n]+)\/([^'"\n]+)\1/g, (whole, quote, library, file) => {
    if (!libraries.includes(library)) return whole;
    const path = relative(from, join(to, library, 'dist', `${file}.js`));
    return `${quote}${path.startsWith('.') ? path : `./${path}`}${quote}`;
  });
}

/** Names of the packages that a file imports, and of those that have the types of these. */
function packagesIn(text) {
  const specifiers = [...text.matchAll(/\b(?:from|import)\s*\(?\s*['"]([^'"\n]+)['"]/g)].map(([, one]) => one);
  return specifiers
    .filter((one) => !one.startsWith('.'))
    .flatMap((one) => {
      if (one.startsWith('node:')) return ['@types/node'];
      const name = one.split('/', one.startsWith('@') ? 2 : 1).join('/');
      return workspace.devDependencies[`@types/${name}`] === undefined ? [name] : [name, `@types/${name}`];
    });
}

/** The ranges are those of this repository. */
function ranges(names) {
  const known = { ...workspace.devDependencies, ...workspace.dependencies, '@tidegate/contracts': manifestIn('libs/contracts').version };
  const unknown = names.filter((name) => known[name] === undefined);
  if (unknown.length > 0) throw new Error(`Imported and not among the dependencies of the repository: ${unknown.join(', ')}`);
  return Object.fromEntries(names.sort().map((name) => [name, known[name]]));
}
