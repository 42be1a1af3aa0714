/** The files that are written from the tables of options and of metrics, and from the lock file, as they should be. */

import { configurationDocument } from './configuration-document.ts';
import { configurationSchema } from './configuration-schema.ts';
import { defaultFile } from './default-file.ts';
import { licencesDocument } from './licences-document.ts';
import { metricsDocument } from './metrics-document.ts';
import { proxyOptions } from './proxy-options.ts';

export interface GeneratedFile {
  /** From the repository's root. */
  readonly path: string;
  readonly text: string;
}

export function generatedFiles(): readonly GeneratedFile[] {
  return [
    { path: 'config/schema.json', text: configurationSchema() },
    { path: 'config/default.yaml', text: defaultFile() },
    { path: 'docs/configuration.md', text: configurationDocument() },
    { path: 'docs/licences.md', text: licencesDocument() },
    { path: 'docs/metrics.md', text: metricsDocument() },
    { path: 'src/config/proxy-options.ts', text: proxyOptions() },
  ];
}
