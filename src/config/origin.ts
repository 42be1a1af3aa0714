/** Where a value came from. */

export type Origin =
  | { readonly kind: 'flag'; readonly name: string }
  | { readonly kind: 'argument'; readonly name: string }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'file'; readonly file: string; readonly line: number | null }
  | { readonly kind: 'property'; readonly name: string }
  | { readonly kind: 'default' };

/** As a person would look for it: `--port`, `LASTBYTE_PORT`, `lastbyte.yaml:3`, `options.port`. */
export function originText(origin: Origin): string {
  switch (origin.kind) {
    case 'flag':
      return origin.name;
    case 'argument':
      return `argument ${origin.name}`;
    case 'variable':
      return origin.name;
    case 'file':
      return origin.line === null ? origin.file : `${origin.file}:${origin.line}`;
    case 'property':
      return `options.${origin.name}`;
    case 'default':
      return 'default';
  }
}
