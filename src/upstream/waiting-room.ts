/** Bounds how many requests wait at once for an upstream that takes no connections. */
export class WaitingRoom {
  #waiting = 0;
  readonly #entered: () => void;

  /** @param entered called when a request begins to wait */
  constructor(entered: () => void = () => undefined) {
    this.#entered = entered;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** False: the room is full. True: `leave` must follow. */
  enter(maxWaiting: number): boolean {
    if (this.#waiting >= maxWaiting) return false;
    this.#waiting += 1;
    this.#entered();
    return true;
  }

  leave(): void {
    this.#waiting -= 1;
  }
}
