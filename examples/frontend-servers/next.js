import next from 'next';
import { createServer } from 'node:http';
import { createMiddleware } from 'lastbyte/middleware';

const hostname = '127.0.0.1';
const port = Number(process.env.PORT ?? 3000);
const target = process.env.API_URL ?? 'http://127.0.0.1:8000';
const { middleware, upgrade, close } = createMiddleware({ target, paths: '/report' });

// Next listens here for upgrades: on the server itself it would end those of lastbyte that one of its pages matches.
const others = createServer();
const app = next({ dev: process.env.NODE_ENV !== 'production', hostname, port, httpServer: others });
const handle = app.getRequestHandler();
await app.prepare();

createServer((request, response) => {
  // Instead of rewrites() in next.config.js.
  middleware(request, response, () => handle(request, response));
})
  .on('upgrade', (request, socket, head) => {
    if (upgrade(request, socket, head)) return;
    // Before its first page Next does not listen yet: the browser's next try finds it.
    if (!others.emit('upgrade', request, socket, head)) socket.destroy();
  })
  .listen(port, hostname);

// Next keeps watching its files.
process.once('SIGTERM', () => void close().then(() => process.exit()));
