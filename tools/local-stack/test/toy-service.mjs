import { createServer } from 'node:http';

/** Stands for every service and the simulator in the stack's own tests: says that it is ready, shows its environment, ends as it is told. */
if (process.env.TOY === 'fails') {
  console.error('toy: the configuration is not valid');
  process.exit(3);
}
const server = createServer((request, response) => {
  if (request.url === '/crash') process.exit(7);
  response.end(JSON.stringify(process.env));
});
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => {
  server.closeAllConnections();
  server.close(() => process.exit(0));
});
