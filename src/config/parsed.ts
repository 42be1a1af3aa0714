/** The outcome of reading a value that a person wrote: the value, or what is wrong with it. */

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
