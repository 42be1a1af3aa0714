/** docs/licences.md: the licence of every package that users get with this one. */

import { productionPackages } from './locked-packages.ts';

const HEADER = `# Licences

<!-- Written by scripts/generate.ts from package-lock.json: change the dependencies there. -->

lastbyte is under the [MIT licence](../LICENSE). It comes with these packages, each with its licence's text in its own folder;
\`npm run sbom\` writes the same list as a bill of materials (CycloneDX).

| package | version | licence |
|---|---|---|
`;

export function licencesDocument(): string {
  const rows = productionPackages().map(
    ({ name, version, licence }) => `| ${name} | ${version} | ${licence} |\n`,
  );
  return `${HEADER}${rows.join('')}`;
}
