import { expect, test } from 'vitest';
import { resolveOptions } from '../../../src/config/resolve.ts';
import { reloaded } from '../../../src/server/proxy.ts';

test('what can change while it runs, does', () => {
  const result = reloaded(resolveOptions({ retries: 1 }), resolveOptions({ retries: 2, target: '9000' }));
  expect(result.settings.retries).toBe(2);
  expect(result.settings.target).toMatchObject({ port: 9000 });
  expect(result.needRestart).toEqual([]);
});

test('what is made at the start stays, and is named', () => {
  const result = reloaded(
    resolveOptions({}),
    resolveOptions({ port: 9090, memoryTotal: '512mb', retries: 0 }),
  );
  expect(result.settings.port).toBe(8080);
  expect(result.settings.retries).toBe(0);
  expect(result.needRestart).toEqual(['port', 'memoryTotalBytes']);
});
