/** Names in the documents that are not lastbyte's own, each with whose it is. */

/** Flags of other programs, and of our scripts, by whose they are. */
const FLAGS_BY_OWNER: Readonly<Record<string, string>> = {
  curl: 'limit-rate retry retry-delay retry-all-errors unix-socket cacert data-binary http2',
  flask: 'app',
  docker: 'build link check',
  'npm run faults, test:fuzz, test:soak, diagnose:servers': 'minutes seed rate idle reader only runs tries',
  "the tests' servers": 'nothreading',
  'the example of a misspelt flag': 'retires',
};

export const FLAGS_OF_OTHERS: ReadonlySet<string> = new Set(
  Object.values(FLAGS_BY_OWNER).flatMap((names) => names.split(' ')),
);

/** Not settings: they steer the tests. */
export const VARIABLES_OF_TESTS: ReadonlySet<string> = new Set([
  'LASTBYTE_RUNS',
  // what Kubernetes and docker --link set for a service of this name
  'LASTBYTE_SERVICE_HOST',
  'LASTBYTE_PORT',
]);

/** Linked, and written beside these documents: to be emptied when they are there. */
export const NOT_YET: ReadonlySet<string> = new Set([
  'docs/release.md',
  'docs/performance.md',
  'examples/kubernetes',
  'examples/flask',
  'examples/node-client',
  'examples/vite',
]);
