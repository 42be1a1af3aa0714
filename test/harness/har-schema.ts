/** Checks a HAR against the published schema of HAR 1.2. */

import { createRequire } from 'node:module';
import { Ajv } from 'ajv';

const require = createRequire(import.meta.url);

const validate = compiled();

/** What is wrong with it, empty when nothing is. */
export function harFaults(har: unknown): readonly string[] {
  if (validate === undefined) return ['no schema'];
  return validate(har) === true
    ? []
    : (validate.errors ?? []).map((one) => `${one.instancePath} ${one.message}`);
}

/** Once: it takes longer than all that is validated. */
function compiled(): ReturnType<Ajv['getSchema']> {
  // The schema is written in draft 6 with words of its own.
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  ajv.addMetaSchema(require('ajv/dist/refs/json-schema-draft-06.json'));
  const schemas: Readonly<Record<string, { readonly $id: string }>> = require('har-schema');
  for (const schema of Object.values(schemas)) ajv.addSchema(schema);
  return ajv.getSchema('har.json#');
}
