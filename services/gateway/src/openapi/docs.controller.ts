import { Controller, Get, Header } from '@nestjs/common';
import { ENDPOINTS } from '../endpoints.js';
import { docsPage } from './docs-page.js';
import { openApiDocument } from './document.js';

const CONTENT_SECURITY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** `/openapi.json` and the page that shows it; for everybody. */
@Controller()
export class DocsController {
  readonly #document = openApiDocument(ENDPOINTS);
  readonly #page = docsPage(ENDPOINTS);

  @Get('/openapi.json')
  @Header('content-type', 'application/json; charset=utf-8')
  openApi(): string {
    return JSON.stringify(this.#document);
  }

  @Get('/docs')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', CONTENT_SECURITY)
  docs(): string {
    return this.#page;
  }
}
