import http from 'node:http';
import https from 'node:https';
import { lastWord } from './last-word.js';

/** Named otherwise than ECONNRESET and EPIPE: on those two codes the SDK repeats a request even when its retries are off (measured). */
export const CONNECTION_LOST = 'TIDEGATE_CONNECTION_LOST';
const TIMED_OUT = 'ETIMEDOUT';
const KEPT_BACK = 'TIDEGATE_KEPT_BACK';

/** One finished answer: the body is complete before the SDK sees any of it. */
class BufferedResponse {
  constructor(
    private readonly status: number,
    private readonly headers: http.IncomingHttpHeaders,
    private readonly body: string,
  ) {}
  getStatusCode = (): number => this.status;
  getHeaders = (): http.IncomingHttpHeaders => this.headers;
  getRawResponse = (): unknown => ({ statusCode: this.status });
  toStream = (): never => {
    throw new Error('Bug: nothing here streams');
  };
  toJSON = (): Promise<unknown> => Promise.resolve().then(() => JSON.parse(this.body) as unknown);
}

/**
 * An HTTP client for the SDK: keep-alive connections, and a deadline over the whole exchange from connect to the last byte of the body (the SDK's
 * own timeout starts again with every byte). Whoever has the last word is asked on a connection that stands, before anything is sent.
 */
export function deadlineHttpClient(deadlineMs: number) {
  const agents = { http: new http.Agent({ keepAlive: true }), https: new https.Agent({ keepAlive: true }) };
  return {
    getClientName: () => 'node',
    close: () => {
      agents.http.destroy();
      agents.https.destroy();
    },
    makeRequest: (host: string, port: string, path: string, method: string, headers: object, data: string, protocol: string) =>
      new Promise<BufferedResponse>((resolve, reject) => {
        const plain = protocol === 'http';
        const options = {
          host,
          port,
          path,
          method,
          headers: headers as http.OutgoingHttpHeaders,
          agent: plain ? agents.http : agents.https,
        };
        const request = (plain ? http : https).request(options);
        const timer = setTimeout(() => request.destroy(coded(TIMED_OUT, `No complete answer within ${deadlineMs} ms`)), deadlineMs);
        const fail = (error: NodeJS.ErrnoException) => {
          clearTimeout(timer);
          reject(renamed(error));
        };
        request.once('error', fail);
        request.once('response', (response) => {
          readBody(response, timer).then((body) => resolve(new BufferedResponse(response.statusCode ?? 0, response.headers, body)), fail);
        });
        const mayBeSent = lastWord.getStore() ?? (() => Promise.resolve(true));
        onceConnected(request, plain ? 'connect' : 'secureConnect', () => {
          mayBeSent().then(
            (may) => (may ? request.end(data) : request.destroy(coded(KEPT_BACK, 'Kept back, because nothing may be sent any more'))),
            (error: Error) => request.destroy(error),
          );
        });
      }),
  };
}

function onceConnected(request: http.ClientRequest, connected: 'connect' | 'secureConnect', then: () => void): void {
  request.once('socket', (socket) => (request.reusedSocket ? then() : socket.once(connected, then)));
}

function readBody(response: http.IncomingMessage, timer: NodeJS.Timeout): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.once('error', reject);
    response.once('close', () => {
      clearTimeout(timer);
      if (response.complete) resolve(Buffer.concat(chunks).toString('utf8'));
      else reject(coded(CONNECTION_LOST, 'The connection was lost within the body'));
    });
  });
}

function renamed(error: NodeJS.ErrnoException): NodeJS.ErrnoException {
  return error.code === 'ECONNRESET' || error.code === 'EPIPE' ? coded(CONNECTION_LOST, error.message) : error;
}

const coded = (code: string, message: string): NodeJS.ErrnoException => Object.assign(new Error(message), { code });
