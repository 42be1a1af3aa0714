/** What is shown, kept behind the # of the address, so that it can be linked and survives a reload. */

/** @returns {URLSearchParams} */
export function shown() {
  return new URLSearchParams(location.hash.slice(1));
}

/** @param {string} id */
export function addressOf(id) {
  const wanted = shown();
  wanted.set('open', id);
  return `#${wanted}`;
}

/** Without the open exchange. */
export function closedAddress() {
  const wanted = shown();
  wanted.delete('open');
  return `#${wanted}`;
}

/** Typing into the filter makes no history. @param {URLSearchParams} wanted */
export function replaceShown(wanted) {
  history.replaceState(null, '', `#${wanted}`);
}
