import { defineConfig } from 'vitest/config';
import { EndReporter } from './test/harness/end-reporter.ts';

/**
 * Processes that others wrote, dozens of them on a machine whose speed is not known: in CI one late start gets a second try,
 * and is named at the end. What runs in the test's own process gets none.
 */
const OTHERS = { retry: process.env['CI'] === undefined ? 0 : 1 };

const project = (
  name: string,
  include: string[],
  options: { testTimeout?: number; isolate?: boolean; retry?: number } = {},
) => ({
  test: { name, include, hookTimeout: 60_000, testTimeout: 20_000, ...options },
});

export default defineConfig({
  test: {
    // One more than the cores of CI's machine: wire tests wait for timers and peers a third of their time.
    maxWorkers: 3,
    reporters: ['default', new EndReporter()],
    projects: [
      // Pure functions: to load them again for each file takes as long as all these tests.
      project('unit', ['test/unit/**/*.test.ts'], { testTimeout: 60_000, isolate: false }),
      project('wire', ['test/wire/**/*.test.ts', 'test/facts/**/*.test.ts'], { testTimeout: 30_000 }),
      project('cli', ['test/cli/**/*.test.ts'], { testTimeout: 30_000, ...OTHERS }),
      project('real', ['test/real/**/*.test.ts'], { testTimeout: 120_000, ...OTHERS }),
      project('browser', ['test/browser/**/*.test.ts'], { testTimeout: 60_000, ...OTHERS }),
      project('docs', ['test/docs/**/*.test.ts'], { testTimeout: 120_000, ...OTHERS }),
      project('net', ['test/net/**/*.test.ts'], { testTimeout: 120_000, ...OTHERS }),
    ],
    coverage: {
      provider: 'v8',
      include: ['src/http/**', 'src/upstream/{verdict,retry,routes}.ts'],
      thresholds: { branches: 100, functions: 100, lines: 100 },
    },
  },
});
