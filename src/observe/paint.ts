/** The few colours of a terminal that the log uses (ECMA-48 section 8.3.117). */

const CODES = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2, bold: 1 } as const;

export type Paint = keyof typeof CODES;

export function paint(text: string, color: Paint, enabled: boolean): string {
  return enabled ? `\u001b[${CODES[color]}m${text}\u001b[0m` : text;
}
