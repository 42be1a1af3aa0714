/** What an option's value can do: be read, be written back, be described to a person and to an editor. */

import type { Parsed } from './parsed.ts';

/** A value as a configuration file holds it. */
export type ConfigValue = string | number | boolean | null | readonly string[];

/** The part of JSON Schema that an option's value needs. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export type Unit = 'bytes' | 'ms' | null;

/** `U` keeps a time out of a size's row: both are numbers. */
export interface Kind<T, U extends Unit = null> {
  readonly unit: U;
  /** How the command line gives it: alone, with one value, or with several. */
  readonly arity: 'switch' | 'value' | 'list';
  /** Stands for the value in help and documents: `SIZE`. */
  readonly placeholder: string;
  readonly schema: JsonSchema;
  /** Reads what a flag, a variable, a file or a program gave. */
  parse(raw: unknown): Parsed<T>;
  /** The shortest way to write `value`; `parse` reads it back to the same value. */
  format(value: T): ConfigValue;
}
