/** Servers of others that a middleware is put into, each as its users write it. */

import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';

/** Loaded without their types: these differ from version to version, and a user in JavaScript has none. */
const require = createRequire(import.meta.url);

export type Handler = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/** What Express and Connect have in common. */
interface App extends RequestListener {
  use(handler: Handler): App;
  use(path: string, handler: Handler): App;
}

/** What is used of Fastify, with @fastify/middie. */
export interface FastifyApp {
  readonly server: Server;
  addHook(name: 'onRequest', hook: (request: unknown, reply: FastifyReply, done: () => void) => void): void;
  addHook(name: 'preClose', hook: () => Promise<void>): void;
  register(plugin: unknown, options?: { readonly hook?: string }): Promise<unknown>;
  use(handler: Handler): void;
  use(path: string, handler: Handler): void;
  ready(): Promise<unknown>;
  close(): Promise<void>;
}

interface FastifyReply {
  readonly raw: ServerResponse;
  header(name: string, value: string): void;
}

/** What is done with a request: one after another, each at a path of its own if one is named. */
export type Step = Handler | readonly [path: string, handler: Handler];

interface Framework {
  readonly name: string;
  readonly serve: (...steps: readonly Step[]) => Promise<Server>;
  /** The same after its parser of JSON bodies; null: it has none of its own. */
  readonly serveParsed: ((handler: Handler) => Promise<Server>) | null;
}

interface Express {
  (): App;
  json(): Handler;
}

const express4: Express = require('express-4');
const express5: Express = require('express');
const connect: () => App = require('connect');
export const fastify: (options?: object) => FastifyApp = require('fastify');
export const middie: unknown = require('@fastify/middie');

async function serveApp(app: App, ...steps: readonly Step[]): Promise<Server> {
  for (const step of steps) {
    if (typeof step === 'function') app.use(step);
    else app.use(...step);
  }
  return await Promise.resolve(createServer(app));
}

const expressOf = (name: string, express: Express): Framework => ({
  name,
  serve: async (...steps) => await serveApp(express(), ...steps),
  serveParsed: async (handler) => await serveApp(express(), express.json(), handler),
});

/** @param hook when the steps are taken: Fastify parses bodies after `onRequest` */
async function serveFastify(steps: readonly Step[], hook = 'onRequest'): Promise<Server> {
  const app = fastify();
  await app.register(middie, { hook });
  for (const step of steps) {
    if (typeof step === 'function') app.use(step);
    else app.use(...step);
  }
  await app.ready();
  return app.server;
}

export const FRAMEWORKS: readonly Framework[] = [
  expressOf('Express 4', express4),
  expressOf('Express 5', express5),
  { name: 'Connect', serve: async (...steps) => await serveApp(connect(), ...steps), serveParsed: null },
  {
    name: 'Fastify',
    serve: async (...steps) => await serveFastify(steps),
    serveParsed: async (handler) => await serveFastify([handler], 'preHandler'),
  },
];

/** A server whose only job is the middleware, as `createServer(middleware)`, and one of each framework. */
export const SERVERS: ReadonlyArray<readonly [name: string, serve: (handler: Handler) => Promise<Server>]> = [
  [
    'http.Server',
    async (handler) =>
      await Promise.resolve(createServer((request, response) => handler(request, response, () => undefined))),
  ],
  ...FRAMEWORKS.map(({ name, serve }) => [name, serve] as const),
];
