import express from 'express';
import { createServer } from 'node:http';
import { createMiddleware } from 'lastbyte/middleware';

const target = process.env.API_URL ?? 'http://127.0.0.1:8000';
const { middleware, upgrade, close } = createMiddleware({ target, paths: '/report' });

const app = express();
app.use(middleware); // before express.json()
app.use(express.json());
app.use(express.static('.'));

const server = createServer(app)
  .on('upgrade', upgrade)
  .once('close', close)
  .listen(Number(process.env.PORT ?? 3000), '127.0.0.1');

process.once('SIGTERM', () => server.close());
