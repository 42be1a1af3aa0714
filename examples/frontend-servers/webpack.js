import webpack from 'webpack';
import WebpackDevServer from 'webpack-dev-server';
import { createMiddleware } from 'lastbyte/middleware';

const target = process.env.API_URL ?? 'http://127.0.0.1:8000';
const { middleware, upgrade, close } = createMiddleware({ target, paths: '/report' });

const compiler = webpack({ mode: 'development', entry: './src/main.js' });
const server = new WebpackDevServer(
  {
    host: '127.0.0.1',
    port: Number(process.env.PORT ?? 3000),
    static: '.',
    // Instead of proxy: [{ context: ['/report'], target }]. First: before what may read bodies.
    setupMiddlewares: (middlewares, devServer) => {
      devServer.server.on('upgrade', upgrade);
      return [middleware, ...middlewares];
    },
    onListening: (devServer) => devServer.server.once('close', close),
  },
  compiler,
);
await server.start();
