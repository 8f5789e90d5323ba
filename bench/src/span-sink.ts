import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';

/** Where the spans of a benchmark go: an OTLP/HTTP collector that only counts bytes, as cheap as a receiver can be. */
export class SpanSink {
  bytes = 0;
  private readonly server = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => (this.bytes += chunk.length));
    request.on('end', () => response.writeHead(200, { 'content-type': 'application/x-protobuf', 'content-length': 0 }).end());
  });

  /** The endpoint for OTEL_EXPORTER_OTLP_ENDPOINT. */
  start(): Promise<string> {
    return new Promise((started) =>
      this.server.listen(0, '127.0.0.1', () => started(`http://127.0.0.1:${(this.server.address() as AddressInfo).port}`)),
    );
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}
