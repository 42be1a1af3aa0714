/** A process-wide allowance of bytes that many exchanges share, and those of their bodies that wait for room in it. */

/** How a wait ends: the bytes are taken, or there will be no room in time. */
export type WaitEnd = 'taken' | 'refused';

interface Waiter {
  readonly share: Share;
  readonly bytes: number;
  readonly end: (how: WaitEnd) => void;
  readonly timer: NodeJS.Timeout;
  /** How often it may still go on when its time is up. */
  timesLeft: number;
  /** What had come free in all when its time began. */
  freedBefore: number;
}

export class Budget {
  readonly limitBytes: number;
  readonly #waitMs: number;
  readonly #mostWaits: number;
  #usedBytes = 0;
  /** All that was ever given back. */
  #freedBytes = 0;
  /** How many accounts hold any bytes. */
  #holders = 0;
  /** The oldest account first: so the oldest exchange comes to its end, and gives back what it holds. */
  readonly #waiters: Waiter[] = [];
  #accounts = 0;

  /**
   * @param waitMs how long a share waits for room, in ms; 0: no longer than a turn
   * @param mostWaits how often it waits so long, as long as so much comes free as it needs: then others only were before it
   */
  constructor(limitBytes: number, waitMs: number, mostWaits = 1) {
    this.limitBytes = limitBytes;
    this.#waitMs = waitMs;
    this.#mostWaits = mostWaits;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** How many shares wait for room. */
  get waiting(): number {
    return this.#waiters.length;
  }

  /** What one exchange holds of the budget; nothing so far. */
  account(): Account {
    this.#accounts += 1;
    return new Account(this, this.#accounts);
  }

  hasRoom(bytes: number): boolean {
    return this.#usedBytes + bytes <= this.limitBytes;
  }

  /** For accounts: what one held, and what it holds now. */
  changed(heldBefore: number, heldNow: number): void {
    this.#usedBytes += heldNow - heldBefore;
    this.#holders += Math.sign(heldNow) - Math.sign(heldBefore);
    if (heldNow >= heldBefore) return;
    this.#freedBytes += heldBefore - heldNow;
    if (this.#waiters.length > 0) this.#serve();
  }

  /** For shares: tells `end` once, later; never, after `leave`. */
  wait(share: Share, bytes: number, end: (how: WaitEnd) => void): void {
    const waiter: Waiter = {
      share,
      bytes,
      end,
      timer: setTimeout(() => this.#timeIsUp(waiter), this.#waitMs),
      timesLeft: this.#mostWaits - 1,
      freedBefore: this.#freedBytes,
    };
    const at = this.#waiters.findIndex((other) => other.share.account.age > share.account.age);
    this.#waiters.splice(at < 0 ? this.#waiters.length : at, 0, waiter);
    queueMicrotask(() => this.#breakDeadlock());
  }

  /** For shares: waits no longer. */
  leave(share: Share): void {
    const at = this.#waiters.findIndex((waiter) => waiter.share === share);
    if (at < 0) return;
    clearTimeout(this.#waiters[at]?.timer);
    this.#waiters.splice(at, 1);
  }

  #serve(): void {
    for (const waiter of this.#waiters.filter(({ bytes }) => this.hasRoom(bytes))) {
      const { share, bytes, end } = waiter;
      // Those before it may have taken the room, or ended its wait.
      if (!this.hasRoom(bytes) || !this.#waiters.includes(waiter)) continue;
      this.leave(share);
      share.take(bytes);
      end('taken');
    }
    this.#breakDeadlock();
  }

  /**
   * Where all who could give back wait for one another, the youngest gives way. An exchange gives nothing back while any of
   * its bodies waits: it holds its request until its response is delivered.
   */
  #breakDeadlock(): void {
    const waitingHolders = this.#waiters.filter(({ share }) => share.account.heldBytes > 0);
    const youngest = waitingHolders.at(-1);
    if (youngest === undefined) return;
    const accounts = new Set(waitingHolders.map(({ share }) => share.account));
    if (accounts.size === this.#holders) this.#refuse(youngest);
  }

  #timeIsUp(waiter: Waiter): void {
    const isMoving = this.#freedBytes - waiter.freedBefore >= waiter.bytes;
    if (!isMoving || waiter.timesLeft === 0) {
      this.#refuse(waiter);
      return;
    }
    waiter.timesLeft -= 1;
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

  /** What one of its bodies holds; nothing so far. */
  share(): Share {
    return new Share(this.#budget, this);
  }

  /** For shares: what one held, and what it holds now. */
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

  /** Takes `bytes` if they are there; false leaves all as it was. */
  take(bytes: number): boolean {
    if (!this.#budget.hasRoom(bytes)) return false;
    this.#hold(this.#heldBytes + bytes);
    return true;
  }

  /**
   * Takes `bytes` as soon as they are there; `end` tells it, later. False: they never can be, beside what the exchange itself
   * holds until it is over.
   */
  takeLater(bytes: number, end: (how: WaitEnd) => void): boolean {
    if (this.account.heldBytes + bytes > this.#budget.limitBytes) return false;
    this.#budget.wait(this, bytes, end);
    return true;
  }

  /** Waits no longer; what is held is kept. */
  stopWaiting(): void {
    this.#budget.leave(this);
  }

  /** Gives all back, and waits no longer. */
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
