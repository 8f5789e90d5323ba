import { mkdirSync, writeFileSync } from 'node:fs';
import { ENDPOINTS } from './endpoints.js';
import { openApiDocument } from './openapi/document.js';

/** Writes docs/generated/openapi.json, or the file named as the first argument. */
const target = process.argv[2] ?? new URL('../../../docs/generated/openapi.json', import.meta.url);
mkdirSync(new URL('../../../docs/generated/', import.meta.url), { recursive: true });
writeFileSync(target, `${JSON.stringify(openApiDocument(ENDPOINTS), null, 2)}\n`);
