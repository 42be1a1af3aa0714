/** A process-wide limit of bytes that all exchanges share, and the queue of bodies that wait for room. */

/** How a wait ends: the bytes are reserved, or no room came free in time. */
export type WaitEnd = 'taken' | 'refused';

interface Waiter {
  readonly share: Share;
  readonly bytes: number;
  readonly end: (how: WaitEnd) => void;
  readonly timer: NodeJS.Timeout;
  /** How many more times its wait may be extended. */
  waitsLeft: number;
  /** `#freedBytes` when its current wait began. */
  freedBefore: number;
}

export class Budget {
  readonly limitBytes: number;
  readonly #waitMs: number;
  readonly #maxWaits: number;
  #usedBytes = 0;
  /** Total of the bytes that were ever given back. */
  #freedBytes = 0;
  /** Number of accounts that hold any bytes. */
  #holders = 0;
  /** The oldest account first, so that the oldest exchange can finish and give back what it holds. */
  readonly #waiters: Waiter[] = [];
  #accounts = 0;

  /**
   * @param waitMs how long a share waits for room, in ms; 0: for one turn of the event loop
   * @param maxWaits how many times it may wait that long, while at least as much comes free as it needs: older shares got it
   */
  constructor(limitBytes: number, waitMs: number, maxWaits = 1) {
    this.limitBytes = limitBytes;
    this.#waitMs = waitMs;
    this.#maxWaits = maxWaits;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** How many shares wait for room. */
  get waiting(): number {
    return this.#waiters.length;
  }

  /** An empty account, for the bodies of one exchange. */
  account(): Account {
    this.#accounts += 1;
    return new Account(this, this.#accounts);
  }

  hasRoom(bytes: number): boolean {
    return this.#usedBytes + bytes <= this.limitBytes;
  }

  /** Called by an account when the bytes that it holds change. */
  changed(heldBefore: number, heldNow: number): void {
    this.#usedBytes += heldNow - heldBefore;
    this.#holders += Math.sign(heldNow) - Math.sign(heldBefore);
    if (heldNow >= heldBefore) return;
    this.#freedBytes += heldBefore - heldNow;
    if (this.#waiters.length > 0) this.#serve();
  }

  /** Called by a share. Calls `end` once, in a later turn; not after `leave`. */
  wait(share: Share, bytes: number, end: (how: WaitEnd) => void): void {
    const waiter: Waiter = {
      share,
      bytes,
      end,
      timer: setTimeout(() => this.#onTimeout(waiter), this.#waitMs),
      waitsLeft: this.#maxWaits - 1,
      freedBefore: this.#freedBytes,
    };
    const at = this.#waiters.findIndex((other) => other.share.account.age > share.account.age);
    this.#waiters.splice(at < 0 ? this.#waiters.length : at, 0, waiter);
    queueMicrotask(() => this.#breakDeadlock());
  }

  /** Called by a share that stops waiting. */
  leave(share: Share): void {
    const at = this.#waiters.findIndex((waiter) => waiter.share === share);
    if (at < 0) return;
    clearTimeout(this.#waiters[at]?.timer);
    this.#waiters.splice(at, 1);
  }

  #serve(): void {
    for (const waiter of this.#waiters.filter(({ bytes }) => this.hasRoom(bytes))) {
      const { share, bytes, end } = waiter;
      // Earlier waiters may have taken the room, or ended this wait.
      if (!this.hasRoom(bytes) || !this.#waiters.includes(waiter)) continue;
      this.leave(share);
      share.take(bytes);
      end('taken');
    }
    this.#breakDeadlock();
  }

  /**
   * If all accounts that hold bytes wait, the youngest is refused. An exchange gives nothing back while one of its bodies
   * waits, because it holds its request until its response is delivered.
   */
  #breakDeadlock(): void {
    const waitingHolders = this.#waiters.filter(({ share }) => share.account.heldBytes > 0);
    const youngest = waitingHolders.at(-1);
    if (youngest === undefined) return;
    const accounts = new Set(waitingHolders.map(({ share }) => share.account));
    if (accounts.size === this.#holders) this.#refuse(youngest);
  }

  #onTimeout(waiter: Waiter): void {
    const makesProgress = this.#freedBytes - waiter.freedBefore >= waiter.bytes;
    if (!makesProgress || waiter.waitsLeft === 0) {
      this.#refuse(waiter);
      return;
    }
    waiter.waitsLeft -= 1;
    waiter.freedBefore = this.#freedBytes;
    waiter.timer.refresh();
  }

  #refuse({ share, end }: Waiter): void {
    this.leave(share);
    end('refused');
  }
}

/** The bodies of one exchange. */
export class Account {
  readonly #budget: Budget;
  /** Smaller is older. */
  readonly age: number;
  #heldBytes = 0;

  constructor(budget: Budget, age: number) {
    this.#budget = budget;
    this.age = age;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  get limitBytes(): number {
    return this.#budget.limitBytes;
  }

  /** An empty share, for one body. */
  share(): Share {
    return new Share(this.#budget, this);
  }

  /** Called by a share when the bytes that it holds change. */
  changed(heldBefore: number, heldNow: number): void {
    const before = this.#heldBytes;
    this.#heldBytes += heldNow - heldBefore;
    this.#budget.changed(before, this.#heldBytes);
  }
}

/** One body. */
export class Share {
  readonly #budget: Budget;
  readonly account: Account;
  #heldBytes = 0;

  constructor(budget: Budget, account: Account) {
    this.#budget = budget;
    this.account = account;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Reserves `bytes` if they are available; false: nothing has changed. */
  take(bytes: number): boolean {
    if (!this.#budget.hasRoom(bytes)) return false;
    this.#hold(this.#heldBytes + bytes);
    return true;
  }

  /**
   * Reserves `bytes` as soon as they are available, then calls `end`. False: they can never fit next to what the exchange
   * itself holds until it ends.
   */
  takeLater(bytes: number, end: (how: WaitEnd) => void): boolean {
    if (this.account.heldBytes + bytes > this.#budget.limitBytes) return false;
    this.#budget.wait(this, bytes, end);
    return true;
  }

  /** Stops waiting; keeps what it holds. */
  stopWaiting(): void {
    this.#budget.leave(this);
  }

  /** Gives everything back, and stops waiting. */
  release(): void {
    this.#budget.leave(this);
    this.#hold(0);
  }

  #hold(bytes: number): void {
    const before = this.#heldBytes;
    this.#heldBytes = bytes;
    this.account.changed(before, bytes);
  }
}
