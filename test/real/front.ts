/** lastbyte in front of a real server, both started for a test file and ended after it. */

import { afterAll, beforeAll, type TestContext } from 'vitest';
import { createProxy } from '../../src/server/proxy.ts';
import type { ServerProcess } from '../harness/process.ts';
import { need } from '../harness/need.ts';
import { startServer, whyMissing, type ServerName } from './servers.ts';

export interface Front {
  readonly server: ServerProcess;
  /** Where lastbyte listens. */
  readonly url: string;
  readonly port: number;
}

/** On a busy machine a view may well take longer than usual to answer without the body. */
export const PATIENT = { bodyHold: 500 } as const;

/** Starts both before the tests of this block; the function it returns gives them to a test, or skips the test. */
export function frontOf(name: ServerName): (context: TestContext) => Front {
  let front: Front | null = null;
  let end: (() => Promise<void>) | null = null;

  beforeAll(async () => {
    if (whyMissing(name) !== null) return;
    const server = await startServer(name);
    const proxy = createProxy({ target: server.url, port: 0, admin: false, ...PATIENT });
    await proxy.start();
    front = { server, url: proxy.url, port: Number(new URL(proxy.url).port) };
    end = async () => {
      await proxy.close();
      await server[Symbol.asyncDispose]();
    };
  });
  afterAll(async () => {
    await end?.();
  });

  return (context) => {
    need(context, whyMissing(name));
    if (front === null) throw new Error(`${name} was not started`);
    return front;
  };
}
