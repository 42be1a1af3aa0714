/** One row of the option table: its names, its kind, its default, and why one would change it. */

import type { Kind, Unit } from './kind.ts';
import type { Settings } from './settings.ts';

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
  readonly kind: Kind<Settings[S], UnitOf<S>>;
  readonly default: Settings[S];
  /** Why one would change it: one sentence. */
  readonly purpose: string;
}

export type Rows<S extends SettingName> = { readonly [K in S]: Option<K> };

/** Any row, when what its value is does not matter. */
export interface AnyOption {
  readonly setting: SettingName;
  readonly name: OptionName;
  readonly kind: { readonly unit: Unit } & Pick<Kind<never>, 'arity' | 'placeholder' | 'schema'>;
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
