import { type IncomingMessage } from 'node:http';
import { type Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { type Listeners } from './listeners.js';

export const WEBSOCKET_PATH = '/__stripecli';
const SUBPROTOCOL = 'stripecli-devproxy-v1';
const UNKNOWN = JSON.stringify({ error: { type: 'invalid_request_error', message: 'Unknown WebSocket ID.' } });

/** Answers websocket handshakes: only sessions that were opened before get through. */
export function upgradeHandler(listeners: Listeners): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const server = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  return (request, socket, head) => {
    const id = request.headers['websocket-id'];
    const path = (request.url ?? '').split('?')[0];
    if (path !== WEBSOCKET_PATH || typeof id !== 'string' || !listeners.knows(id)) {
      socket.on('error', () => undefined);
      socket.end(
        `HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: ${UNKNOWN.length}\r\nConnection: close\r\n\r\n${UNKNOWN}`,
      );
      return;
    }
    server.handleUpgrade(request, socket, head, (websocket) => listeners.connect(id, websocket));
  };
}
