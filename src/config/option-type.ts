/** What an option is: its names, what its value can be, how that is read and written, and why one would change it. */

import type { Settings } from './settings.ts';

/** A value as a configuration file holds it. */
export type ConfigValue = string | number | boolean | null | readonly string[];

/** The part of JSON Schema that an option's value needs. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export type Unit = 'bytes' | 'ms' | null;

/** `U` keeps a time out of a size's row: both are numbers. */
export interface OptionType<T, U extends Unit = null> {
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

/** `problem` continues the sentence `"<value>" …`; `remedy` is a sentence of its own, without its full stop. */
export type Parsed<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'wrong'; readonly problem: string; readonly remedy: string };

export function parsed<T>(value: T): Parsed<T> {
  return { kind: 'value', value };
}

export function wrong(problem: string, remedy: string): Parsed<never> {
  return { kind: 'wrong', problem, remedy };
}

export type SettingName = keyof Settings;

/** `bodyHoldMs` is set by `body-hold`: the unit is part of the value that a person writes. */
export type OptionName<S extends SettingName = SettingName> = Kebab<WithoutUnit<S>>;

/** The setting's unit, which its kind must have too. */
export type UnitOf<S extends SettingName> = S extends `${string}Ms`
  ? 'ms'
  : S extends `${string}Bytes`
    ? 'bytes'
    : null;

/** A row whose name, kind and default fit the setting that it fills. */
export interface Option<S extends SettingName> {
  readonly setting: S;
  readonly name: OptionName<S>;
  readonly type: OptionType<Settings[S], UnitOf<S>>;
  readonly default: Settings[S];
  /** Why one would change it: one sentence. */
  readonly purpose: string;
}

export type Rows<S extends SettingName> = { readonly [K in S]: Option<K> };

/** Any row, when what its value is does not matter. */
export interface AnyOption {
  readonly setting: SettingName;
  readonly name: OptionName;
  readonly type: { readonly unit: Unit } & Pick<OptionType<never>, 'arity' | 'placeholder' | 'schema'>;
  readonly purpose: string;
}

type WithoutUnit<S extends string> = S extends `${infer Name}Ms`
  ? Name
  : S extends `${infer Name}Bytes`
    ? Name
    : S extends 'socketPath'
      ? 'socket'
      : S;

type Kebab<S extends string> = S extends `${infer First}${infer Rest}`
  ? First extends Lowercase<First>
    ? `${First}${Kebab<Rest>}`
    : `-${Lowercase<First>}${Kebab<Rest>}`
  : '';
