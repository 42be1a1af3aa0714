/** The state of the page, in the fragment of its address, so that it can be linked and survives a reload. */

/** @returns {URLSearchParams} */
export function shown() {
  return new URLSearchParams(location.hash.slice(1));
}

/** @param {string} id */
export function addressOf(id) {
  const wanted = shown();
  wanted.set('open', id);
  wanted.delete('against');
  return `#${wanted}`;
}

/** Without the open exchange. */
export function closedAddress() {
  const wanted = shown();
  wanted.delete('open');
  wanted.delete('against');
  return `#${wanted}`;
}

/** The open exchange, compared with this one. @param {string} id empty: with none */
export function comparedAddress(id) {
  const wanted = shown();
  if (id === '') wanted.delete('against');
  else wanted.set('against', id);
  return `#${wanted}`;
}

/** Typing into the filter makes no history. @param {URLSearchParams} wanted */
export function replaceShown(wanted) {
  history.replaceState(null, '', `#${wanted}`);
}
