import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';

/** The peer that `bench -- sse` measures Tidegate against: a server that keeps connections open and says so every 15 s, with nothing around it. */
const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.write('id: 1\n\n');
  const heartbeat = setInterval(() => response.write(': still here\n\n'), 15_000);
  response.on('close', () => clearInterval(heartbeat));
});
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })));
process.on('SIGTERM', () => process.exit(0));
