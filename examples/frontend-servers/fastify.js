import middie from '@fastify/middie';
import Fastify from 'fastify';
import { readFile } from 'node:fs/promises';
import { createMiddleware } from 'lastbyte/middleware';

const target = process.env.API_URL ?? 'http://127.0.0.1:8000';
const { middleware, upgrade, close } = createMiddleware({ target, paths: '/report' });

const app = Fastify();
await app.register(middie); // with its default hook, onRequest: before bodies are parsed
app.use(middleware);
app.server.on('upgrade', upgrade);
app.addHook('preClose', close); // before Fastify waits for its connections

const serve = (path, file, type) => {
  app.get(path, async (_request, reply) => reply.type(type).send(await readFile(file)));
};
serve('/', 'index.html', 'text/html');
serve('/src/main.js', 'src/main.js', 'text/javascript');
serve('/src/post.js', 'src/post.js', 'text/javascript');

await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 3000) });

process.once('SIGTERM', () => void app.close());
