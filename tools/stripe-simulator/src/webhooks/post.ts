import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

export type PostResult = { readonly status: number } | { readonly error: string };

/** Posts bodies over kept-alive connections. Redirects are not followed. */
export class Poster {
  private readonly http = new HttpAgent({ keepAlive: true, maxSockets: 256 });
  private readonly https = new HttpsAgent({ keepAlive: true, maxSockets: 256 });

  /** Never rejects. `timeoutMs` is the total time until the status is known. */
  post(url: string, body: string, headers: Record<string, string>, timeoutMs: number): Promise<PostResult> {
    return new Promise((resolve) => {
      const secure = url.startsWith('https:');
      const length = String(Buffer.byteLength(body));
      const options = { method: 'POST', headers: { ...headers, 'Content-Length': length }, agent: secure ? this.https : this.http };
      const answered = (response: IncomingMessage): void => {
        clearTimeout(deadline);
        response.on('error', () => undefined).resume();
        resolve({ status: response.statusCode ?? 0 });
      };
      const outgoing = opened(() => (secure ? httpsRequest(url, options, answered) : httpRequest(url, options, answered)));
      if ('error' in outgoing) return resolve(outgoing);
      const deadline = setTimeout(() => outgoing.destroy(new Error('timed out')), timeoutMs);
      outgoing.on('error', (error) => {
        clearTimeout(deadline);
        resolve({ error: error.message === '' ? ((error as NodeJS.ErrnoException).code ?? 'connection failed') : error.message });
      });
      outgoing.end(body);
    });
  }

  close(): void {
    this.http.destroy();
    this.https.destroy();
  }
}

/** A URL that is none, or a header that can't be sent, throws at once. */
function opened(open: () => ClientRequest): ClientRequest | { error: string } {
  try {
    return open();
  } catch (error) {
    return { error: (error as Error).message };
  }
}
