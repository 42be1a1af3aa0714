/** Names in the documents that are not lastbyte's own, each with whose it is. */

/** Flags that the prose names without their program. */
export const FLAGS_OF_OTHERS: ReadonlySet<string> = new Set([
  'data-binary',
  'data-raw', // curl, in an example of the API's answer
  'check', // npm run diagnose:servers
  'provenance', // npm publish
  'nothreading', // runserver
]);

/** Not settings: they steer the tests. */
export const VARIABLES_OF_TESTS: ReadonlySet<string> = new Set([
  'LASTBYTE_RUNS',
  // what Kubernetes and docker --link set for a service of this name
  'LASTBYTE_SERVICE_HOST',
  'LASTBYTE_PORT',
]);
