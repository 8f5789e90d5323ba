// Builds what the package ships, JavaScript and type declarations, into a folder. Usage: node scripts/build.mjs <folder>
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformFileSync } from '@swc/core';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = resolve(process.argv[2] ?? 'dist');
for (const file of readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })) {
  if (!file.endsWith('.ts') || file.endsWith('.spec.ts')) continue;
  const built = join(target, file.replace(/\.ts$/, '.js'));
  mkdirSync(dirname(built), { recursive: true });
  const options = { configFile: join(root, '../../.swcrc'), sourceMaps: false };
  writeFileSync(built, transformFileSync(join(root, 'src', file), options).code);
}
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript')), 'tsc.js');
execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', target], { stdio: 'inherit' });
