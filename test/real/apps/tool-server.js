/**
 * A frontend's server as its users write it, with its own proxy or with lastbyte in its place:
 * `node tool-server.js TOOL own|lastbyte PORT TARGET BODY_HOLD_MS`. In a folder where `lastbyte` and the tool are installed; for
 * Next, which is not installed beside it, in the folder where that is.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
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
  fastify: startFastify,
  next: startNext,
};

async function startVite(name) {
  const vite = await import(name);
  const { default: lastbyte } = await import('lastbyte/vite');
  const server = await vite.createServer({
    configFile: false,
    root: folder,
    cacheDir: path.join(folder, 'cache'),
    plugins: isOwn ? [] : [lastbyte({ [PATH]: { target, ws: true } }, options)],
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
  return () => stopBoth(server, lastbyte);
}

async function stopBoth(server, lastbyte) {
  const closed = new Promise((resolve) => server.close(resolve));
  await lastbyte.close();
  server.closeAllConnections();
  await closed;
}

async function startFastify() {
  const { default: fastify } = await import('fastify');
  const { default: middie } = await import('@fastify/middie');
  const { default: httpProxy } = await import('@fastify/http-proxy');
  const { createMiddleware } = await import('lastbyte/middleware');
  const app = fastify();
  const lastbyte = createMiddleware(middlewareOptions);
  if (isOwn) {
    app.register(httpProxy, { upstream: target, prefix: PATH, rewritePrefix: PATH, websocket: true });
  } else {
    await app.register(middie);
    app.use(lastbyte.middleware);
    app.server.on('upgrade', lastbyte.upgrade);
    app.addHook('preClose', lastbyte.close);
  }
  await app.listen({ host, port: Number(port) });
  return () => app.close();
}

/** In development, as its guide to custom servers has it. */
async function startNext() {
  const { createMiddleware } = await import('lastbyte/middleware');
  const next = createRequire(path.join(folder, 'server.js'))('next');
  mkdirSync(path.join(folder, 'pages'));
  writeFileSync(path.join(folder, 'pages', '[...any].js'), 'export default () => <p>a page</p>;');
  writeFileSync(path.join(folder, 'next.config.js'), nextConfig());
  const lastbyte = createMiddleware(middlewareOptions);
  const nextUpgrades = createServer();
  const app = next({ dev: true, dir: folder, hostname: host, port: Number(port), httpServer: nextUpgrades });
  const handle = app.getRequestHandler();
  await app.prepare();
  const server = createServer((request, response) => {
    if (isOwn) handle(request, response);
    else lastbyte.middleware(request, response, () => handle(request, response));
  });
  server.on('upgrade', (request, socket, head) => {
    if (isOwn || !lastbyte.upgrade(request, socket, head))
      nextUpgrades.emit('upgrade', request, socket, head);
  });
  server.listen(Number(port), host);
  return async () => {
    await stopBoth(server, lastbyte);
    await app.close();
    // Next leaves watchers of files and timers of its own, with or without lastbyte: only sockets can be counted.
    const sockets = process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP'));
    process.exit(sockets.length);
  };
}

/** Turbopack takes the folder of the nearest lock file for the project's, and reads all that is below it. */
function nextConfig() {
  const rewrites = [{ source: `${PATH}/:path*`, destination: `${target}${PATH}/:path*` }];
  return `module.exports = {
    experimental: { turbopackFileSystemCacheForDev: false },
    turbopack: { root: ${JSON.stringify(process.cwd())} },
    rewrites: async () => ({ beforeFiles: ${JSON.stringify(isOwn ? rewrites : [])} }),
  };`;
}

const started = STARTS[tool]();
// Tools have their own ways with SIGTERM. After this, nothing keeps the process but what is left open.
process.once('SIGUSR2', () => void started.then((stop) => stop()));
await started;
