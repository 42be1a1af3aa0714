/** What the examples say to Compose and Kubernetes, checked without either: names, options, types. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';

const ROOT = path.join(import.meta.dirname, '..', '..');
const EXAMPLES = path.join(ROOT, 'examples');

const read = (...parts: string[]): string => readFileSync(path.join(ROOT, ...parts), 'utf8');

const OPTIONS: ReadonlySet<string> = new Set(
  Array.from(read('docs', 'configuration.md').matchAll(/`(LASTBYTE_[A-Z_]+)`/g), ([, name = '']) => name),
);

const composed = readdirSync(EXAMPLES).filter((name) => {
  return readdirSync(path.join(EXAMPLES, name)).includes('docker-compose.yml');
});

interface Service {
  readonly build?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly healthcheck?: unknown;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly profiles?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
}

interface Compose {
  readonly include?: readonly string[];
  readonly services: Readonly<Record<string, Service>>;
}

describe.each(composed)('examples/%s', (name) => {
  const compose: Compose = parse(read('examples', name, 'docker-compose.yml'));

  test('publishes its ports on loopback only', () => {
    const ports = Object.values(compose.services).flatMap((service) => service.ports ?? []);
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  test('has a Dockerfile wherever it builds, and files wherever it includes', () => {
    for (const { build } of Object.values(compose.services)) {
      if (build !== undefined) expect(readdirSync(path.join(EXAMPLES, name, build))).toContain('Dockerfile');
    }
    for (const file of compose.include ?? []) expect(read('examples', name, file)).toContain('services:');
  });

  test('says when a service that it starts is ready, and lets a client wait for that', () => {
    for (const [service, { profiles, healthcheck, depends_on: needs = {} }] of Object.entries(
      compose.services,
    )) {
      const conditions = Object.values(needs).map(({ condition }) => condition);
      if (profiles !== undefined) expect(new Set(conditions), service).toEqual(new Set(['service_healthy']));
      // lastbyte's is in its image.
      else if (service !== 'lastbyte') expect(healthcheck, service).toBeDefined();
    }
  });

  test('sets options of lastbyte that there are, and leaves its health to the image', () => {
    const service = compose.services['lastbyte'];
    if (service === undefined) {
      expect(compose.include).toContain('../django/docker-compose.yml');
      return;
    }
    expect(Object.keys(service.environment ?? {}).filter((variable) => !OPTIONS.has(variable))).toEqual([]);
    expect(service.healthcheck).toBeUndefined();
    // It waits for its upstream by itself, so nothing has to be healthy before it.
    const conditions = Object.values(service.depends_on ?? {}).map(({ condition }) => condition);
    expect(conditions.filter((condition) => condition !== 'service_started')).toEqual([]);
    expect([service.read_only, service.cap_drop]).toEqual([true, ['ALL']]);
  });
});

test('the image says its version', () => {
  const { version }: { version: string } = JSON.parse(read('package.json'));
  expect(read('Dockerfile')).toContain(`ARG VERSION=${version}\n`);
  expect(read('examples', 'kubernetes', 'lastbyte.yaml')).toContain(`image: lastbyte:${version}\n`);
});

describe('the Kubernetes manifest', () => {
  const documents = parseAllDocuments(read('examples', 'kubernetes', 'lastbyte.yaml')).map((one) =>
    one.toJS(),
  );
  const [service, deployment] = documents;

  /** What the type checker says of it as an object literal: it knows every key, and every type. */
  function complaints(spoil: (text: string) => string): string {
    const folder = path.join(ROOT, 'node_modules', '.manifest-types');
    mkdirSync(folder, { recursive: true });
    const text = [
      "import type { Service } from 'kubernetes-types/core/v1.js';",
      "import type { Deployment } from 'kubernetes-types/apps/v1.js';",
      `export const service: Service = ${JSON.stringify(service, null, 2)};`,
      `export const deployment: Deployment = ${JSON.stringify(deployment, null, 2)};`,
    ].join('\n');
    writeFileSync(path.join(folder, 'manifest.ts'), spoil(text));
    const settings = { extends: '../../tsconfig.json', include: ['manifest.ts'] };
    writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(settings));
    const tsc = path.join(ROOT, 'node_modules', '.bin', 'tsc');
    const { stdout } = spawnSync(tsc, ['-p', folder], { encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    return stdout;
  }

  test('has only keys and types that Kubernetes knows', () => {
    expect(complaints((text) => text)).toBe('');
    expect(complaints((text) => text.replace('"livenessProbe"', '"livenesProbe"'))).toContain('livenesProbe');
    expect(complaints((text) => text.replace('"replicas": 2', '"replicas": "2"'))).toContain(
      "'string' is not assignable to type 'number'",
    );
  });

  test('leads the Service to the native sidecar, and sets options that there are', () => {
    const { spec } = deployment.spec.template;
    const [sidecar] = spec.initContainers;
    expect(sidecar.restartPolicy).toBe('Always');
    const ports: { name: string }[] = sidecar.ports;
    expect(ports.map((port) => port.name)).toContain(service.spec.ports[0].targetPort);
    const env: { name: string }[] = sidecar.env;
    expect(env.filter((variable) => !OPTIONS.has(variable.name))).toEqual([]);
    expect(deployment.spec.template.metadata.labels).toEqual(service.spec.selector);
  });
});
