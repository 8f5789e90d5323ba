import { CATALOGUE } from '@tidegate/contracts/catalogue';
import { asyncApiDocument } from './asyncapi/document.js';
import { asyncApiPage } from './asyncapi/page.js';

// Prints docs/generated/asyncapi.json or, with the argument `page`, docs/generated/asyncapi.html.
const document = asyncApiDocument(CATALOGUE);
process.stdout.write(process.argv[2] === 'page' ? asyncApiPage(document) : `${JSON.stringify(document, null, 2)}\n`);
