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
export interface App extends RequestListener {
  use(handler: Handler): App;
  use(path: string, handler: Handler): App;
}

interface Framework {
  readonly name: string;
  readonly app: () => App;
  /** Null: it has none of its own. */
  readonly jsonParser: (() => Handler) | null;
}

const express4: { (): App; json(): Handler } = require('express-4');
const express5: { (): App; json(): Handler } = require('express');
const connect: () => App = require('connect');

export const FRAMEWORKS: readonly Framework[] = [
  { name: 'Express 4', app: () => express4(), jsonParser: () => express4.json() },
  { name: 'Express 5', app: () => express5(), jsonParser: () => express5.json() },
  { name: 'Connect', app: () => connect(), jsonParser: null },
];

/** A server whose only job is the middleware, as `createServer(middleware)`, and one of each framework. */
export const SERVERS: ReadonlyArray<readonly [name: string, serve: (middleware: Handler) => Server]> = [
  [
    'http.Server',
    (middleware) => createServer((request, response) => middleware(request, response, () => undefined)),
  ],
  ...FRAMEWORKS.map(
    ({ name, app }) => [name, (middleware: Handler) => createServer(app().use(middleware))] as const,
  ),
];
