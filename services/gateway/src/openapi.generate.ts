import { ENDPOINTS } from './endpoints.js';
import { openApiDocument } from './openapi/document.js';

// Prints docs/generated/openapi.json.
process.stdout.write(`${JSON.stringify(openApiDocument(ENDPOINTS), null, 2)}\n`);
