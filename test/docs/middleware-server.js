/**
 * The proxy layer of webpack-dev-server and of Create React App, with a configuration as their users write it:
 * `node middleware-server.js webpack.config.js|setupProxy.js PORT`.
 */

import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { createProxyMiddleware } from 'http-proxy-middleware';

const [file = '', port] = process.argv.slice(2);
const settings = createRequire(import.meta.url)(file);
const middlewares = [];

const app = {
  /** As Express: the middleware sees the path behind the mount, and the whole one as originalUrl. */
  use(mount, middleware) {
    middlewares.push((request, response, next) => {
      if (!request.url.startsWith(mount)) return next();
      request.originalUrl = request.url;
      request.url = request.url.slice(mount.length) || '/';
      return middleware(request, response, next);
    });
  },
};

if (typeof settings === 'function') settings(app);
// As lib/Server.js of webpack-dev-server has it.
else {
  for (const rule of settings.devServer.proxy) middlewares.push(createProxyMiddleware(rule.context, rule));
}

createServer((request, response) => {
  const notFound = () => response.writeHead(404).end();
  const chain = middlewares.reduceRight(
    (next, middleware) => () => middleware(request, response, next),
    notFound,
  );
  chain();
}).listen(Number(port), '127.0.0.1');
