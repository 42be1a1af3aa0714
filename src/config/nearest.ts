/** The name that a misspelt one was probably meant to be. */

/** Shorter beginnings are shared by chance. */
const MIN_BEGINNING_LENGTH = 4;

/** The closest of `names`, or null when none is close enough to be worth a guess. */
export function nearestName(written: string, names: readonly string[]): string | null {
  return bySpelling(plain(written), names) ?? byBeginning(plain(written), names);
}

function bySpelling(written: string, names: readonly string[]): string | null {
  const ranked = names
    .map((name) => ({ name, distance: editDistance(written, plain(name)) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  if (best === undefined) return null;
  return best.distance <= tolerance(best.name) ? best.name : null;
}

/** `tls-certificate` for `tls-cert`, `shutdown` for `shutdown-timeout`: where only one name fits. */
function byBeginning(written: string, names: readonly string[]): string | null {
  if (written.length < MIN_BEGINNING_LENGTH) return null;
  const longer = names.filter((name) => plain(name).startsWith(written));
  const shorter = names
    .filter((name) => plain(name).length >= MIN_BEGINNING_LENGTH && written.startsWith(plain(name)))
    .sort((a, b) => b.length - a.length);
  const fitting = longer.length > 0 ? longer : shorter.slice(0, 1);
  return fitting.length === 1 ? (fitting[0] ?? null) : null;
}

/** `bodyHold`, `BODY_HOLD` and `body-hold` are the same name, written in another place's spelling. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** One slip in three letters, at most three: more and the guess misleads. */
function tolerance(name: string): number {
  return Math.min(3, Math.max(1, Math.floor(name.length / 3)));
}

/** Optimal string alignment: insert, delete, replace, or swap two neighbours. */
function editDistance(a: string, b: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row: number[] = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(beforeLast, j - 2) + 1 : Infinity;
      row.push(Math.min(replaced, swapped, at(last, j) + 1, at(row, j - 1) + 1));
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
