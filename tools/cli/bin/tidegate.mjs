#!/usr/bin/env node
// The installed command; what it does is in src/, which `npm start` and `npm test` build.
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) await import(main.href);
else {
  console.error('Tidegate is not built yet: run `npm start` (or `npm run build`) once in its folder.');
  process.exitCode = 1;
}
