import { createServer } from 'node:http';
import { createMiddleware } from 'lastbyte/middleware';

const target = process.env.API_URL ?? 'http://127.0.0.1:8000';
const { middleware, upgrade, close } = createMiddleware({ target, paths: '/report' });

const server = createServer((request, response) => {
  middleware(request, response, () => response.end('This is not proxied.\n'));
})
  .on('upgrade', upgrade)
  .once('close', close)
  .listen(Number(process.env.PORT ?? 3000), '127.0.0.1');

process.once('SIGTERM', () => server.close());
