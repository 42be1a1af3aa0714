/**
 * A frontend's server as its users write it, with its own proxy or with lastbyte in its place:
 * `node tool-server.js TOOL own|lastbyte PORT TARGET BODY_HOLD_MS`. In a folder where `lastbyte` and the tool are installed.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';

const [tool = '', proxy = '', port = '', target = '', bodyHoldMs = '500'] = process.argv.slice(2);
const isOwn = proxy === 'own';
const host = '127.0.0.1';
/** What the servers of the tests answer. */
const PATH = '/bytes';
/** On a busy machine a view may well take longer than usual to respond without the body. A client waits for 8 s. */
const options = { bodyHold: Number(bodyHoldMs), shutdownTimeout: 1000 };

const folder = mkdtempSync(path.join(process.cwd(), '.tool-'));
writeFileSync(path.join(folder, 'index.html'), '<!doctype html><title>site</title>');
writeFileSync(path.join(folder, 'index.js'), '');
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
process.once('SIGTERM', () => process.exit());

const middlewareOptions = { target, paths: PATH, ...options };

const STARTS = {
  vite: () => startVite('vite'),
  'vite-7': () => startVite('vite-7'),
  'webpack-dev-server': startWebpack,
  express: () => startExpress('express'),
  'express-4': () => startExpress('express-4'),
};

async function startVite(name) {
  const vite = await import(name);
  const { default: lastbyte } = await import('lastbyte/vite');
  const server = await vite.createServer({
    configFile: false,
    root: folder,
    cacheDir: path.join(folder, 'cache'),
    plugins: isOwn ? [] : [lastbyte({ [PATH]: target }, options)],
    server: { host, port: Number(port), strictPort: true, proxy: isOwn ? { [PATH]: target } : {} },
  });
  await server.listen();
  return () => server.close();
}

async function startWebpack() {
  const { default: webpack } = await import('webpack');
  const { default: WebpackDevServer } = await import('webpack-dev-server');
  const { createMiddleware } = await import('lastbyte/middleware');
  const lastbyte = createMiddleware(middlewareOptions);
  const compiler = webpack({
    mode: 'development',
    context: folder,
    entry: './index.js',
    output: { path: folder },
  });
  const server = new WebpackDevServer(
    {
      host,
      port: Number(port),
      proxy: isOwn ? [{ context: [PATH], target }] : [],
      setupMiddlewares: (middlewares, { server: httpServer }) => {
        if (isOwn) return middlewares;
        httpServer.on('upgrade', lastbyte.upgrade);
        return [lastbyte.middleware, ...middlewares];
      },
    },
    compiler,
  );
  await server.start();
  return async () => {
    await server.stop();
    await lastbyte.close();
  };
}

async function startExpress(name) {
  const { default: express } = await import(name);
  const { createProxyMiddleware } = await import('http-proxy-middleware');
  const { createMiddleware } = await import('lastbyte/middleware');
  const lastbyte = createMiddleware(middlewareOptions);
  const server = createServer(express().use(isOwn ? createProxyMiddleware({ target }) : lastbyte.middleware));
  if (!isOwn) server.on('upgrade', lastbyte.upgrade);
  server.listen(Number(port), host);
  return async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    await lastbyte.close();
    server.closeAllConnections();
    await closed;
  };
}

const started = STARTS[tool]();
// Tools have their own ways with SIGTERM. After this, nothing keeps the process but what is left open.
process.once('SIGUSR2', () => void started.then((stop) => stop()));
await started;
