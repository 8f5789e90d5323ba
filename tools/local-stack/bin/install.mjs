import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal } from './refusal.mjs';
import { tryQuietly } from './run-quietly.mjs';

/** Makes node_modules what package-lock.json says, by `npm ci` when it is not. */
export async function install(root) {
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const stamp = createHash('sha256').update(`${process.platform}-${process.arch}\n${lock}`).digest('hex');
  const stampFile = join(root, 'node_modules', '.tidegate-stamp');
  if (read(stampFile) === stamp && isComplete(root)) return;
  if (!isInstalled(root, JSON.parse(lock))) await npmCi(root);
  if (!isComplete(root))
    throw new Refusal('npm did not install Node 24 for this platform: optional dependencies must not be left out (npm config "omit").');
  writeFileSync(stampFile, stamp);
}

async function npmCi(root) {
  const modules = join(root, 'node_modules');
  if (existsSync(modules)) refuseUnlessWritable(modules);
  const [command, ...first] = npm();
  // Whatever NODE_ENV or the user's configuration leaves out otherwise is needed to build.
  const options = ['--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  const ci = await tryQuietly('Install packages (npm ci)', command, [...first, 'ci', ...options], { cwd: root });
  if (ci.failure === undefined) return;
  if (!ci.output.includes('EUSAGE')) throw refusalOf(ci);
  // A registry that lacks packages for other platforms makes npm believe that the lock is incomplete; what it pins is installed all the same.
  console.log('  npm ci does not accept package-lock.json with this registry; npm install takes the same versions.');
  const second = await tryQuietly('Install packages (npm install)', command, [...first, 'install', '--no-save', ...options], { cwd: root });
  if (second.failure !== undefined) throw refusalOf(second);
}

function refusalOf({ label, failure, output }) {
  const told = output
    .split('\n')
    .map((line) => line.replace(/^npm (error|warn) ?/, '').trimEnd())
    .filter((line) => line !== '');
  return new Refusal(`${told.slice(0, 15).join('\n')}\n\n${label} failed: npm ${failure}; the beginning of what it said is above.`);
}

/** The npm that runs us, where one does, else the one on the PATH. */
function npm() {
  const running = process.env.npm_execpath;
  return running !== undefined && /npm-cli\.[cm]?js$/.test(running) ? [process.execPath, running] : ['npm'];
}

function refuseUnlessWritable(folder) {
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw new Refusal(`The folder ${folder} cannot be written by this user: change its owner or remove it.`);
  }
}

/** The two things without which nothing goes on: the pinned Node and the build tool. */
function isComplete(root) {
  return ['node', 'nx'].every((name) => existsSync(join(root, 'node_modules', '.bin', name)));
}

/** Whether what npm says it has installed (its own copy of the lock) is what the lock asks for, as after `npm install` by a developer. */
function isInstalled(root, lock) {
  const text = read(join(root, 'node_modules', '.package-lock.json'));
  if (text === undefined) return false;
  const installed = JSON.parse(text).packages ?? {};
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (!path.startsWith('node_modules/')) return true;
    const found = installed[path];
    if (found === undefined) return wanted.optional === true || wanted.peer === true;
    return wanted.link === true || found.version === wanted.version;
  });
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
