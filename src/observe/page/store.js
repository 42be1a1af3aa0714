/** The exchanges that the page knows: as many as the proxy keeps, newest first. */

/** @import { Row } from '../inspector/types.ts' */

/** The proxy keeps no more (docs/api.md): an evicted exchange cannot be opened. */
const MAX_ROWS = 1000;

export class Store {
  /** @type {Map<string, Row>} */
  #byId = new Map();
  /** @type {Row[] | null} */
  #newest = null;

  /** @param {string} id */
  get(id) {
    return this.#byId.get(id);
  }

  get size() {
    return this.#byId.size;
  }

  /** Newest first. */
  get newest() {
    this.#newest ??= this.#trimmed();
    return this.#newest;
  }

  /** @param {Row} row */
  put(row) {
    const known = this.#byId.get(row.id);
    if (known !== undefined && known.revision >= row.revision) return;
    this.#byId.set(row.id, row);
    this.#newest = null;
    // A few extra rows cost less than sorting, and nobody sees them while the tab is hidden.
    if (this.#byId.size > 2 * MAX_ROWS) this.#newest = this.#trimmed();
  }

  clear() {
    this.#byId.clear();
    this.#newest = null;
  }

  #trimmed() {
    const sorted = [...this.#byId.values()].sort((one, other) => other.number - one.number);
    for (const { id } of sorted.splice(MAX_ROWS)) this.#byId.delete(id);
    return sorted;
  }
}
