import { Controller, Get, Header } from '@nestjs/common';
import { ENDPOINTS } from '../endpoints.js';
import { docsPage } from './docs-page.js';
import { openApiDocument } from './document.js';

const CONTENT_SECURITY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** `/openapi.json` and the page that shows it; for everybody. */
@Controller()
export class DocsController {
  /** Made for the first who asks: that costs a tenth of a start, and most processes are never asked. */
  #document: string | undefined;
  #page: string | undefined;

  @Get('/openapi.json')
  @Header('content-type', 'application/json; charset=utf-8')
  openApi(): string {
    return (this.#document ??= JSON.stringify(openApiDocument(ENDPOINTS)));
  }

  @Get('/docs')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', CONTENT_SECURITY)
  docs(): string {
    return (this.#page ??= docsPage(ENDPOINTS));
  }
}
