// Makes one file of a service's program: `dist/main.js` with everything that it imports becomes `bundle/main.js` (docs/adr/0015). Run in the folder
// of the service, after its build and those of the libraries. `bundle/main.js.LEGAL.txt` has the licences of what went in.
import { build } from 'esbuild';

/** Loaded by Nest and pg only where somebody installed them; nobody did. */
const notInstalled = [
  'pg-native',
  '@fastify/multipart',
  '@fastify/static',
  '@fastify/view',
  '@nestjs/websockets',
  '@nestjs/platform-express',
];
const otherTransports = [
  '@grpc/*',
  'amqplib',
  'amqp-connection-manager',
  'ioredis',
  'kafkajs',
  'mqtt',
  'nats',
  'class-transformer',
  'class-validator',
];
/** Native code, packages that are found by the place of their files, and what is loaded only where a setting asks for it. */
const foundByPlace = ['@myriaddreamin/*', '@expo-google-fonts/*', '@aws-sdk/*'];

await build({
  entryPoints: ['dist/main.js'],
  outfile: 'bundle/main.js',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  // Nest names providers, and we name loops, after their classes.
  keepNames: true,
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'linked',
  external: [...notInstalled, ...otherTransports, ...foundByPlace],
  // A name for each function that is made while a request is answered took 7 % of the processor: only what is there when the program is loaded has its name.
  footer: { js: '__name = (made) => made;' },
  // CommonJS packages inside call `require` for what Node brings.
  banner: { js: "import { createRequire as requireOf } from 'node:module';\nconst require = requireOf(import.meta.url);" },
  logLevel: 'warning',
});
