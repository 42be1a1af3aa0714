/** What can be done with an exchange: its request sent again, copied as curl, saved as HAR. */

/** @import { FullView } from '../inspector/types.ts' */

import { button, byId, make } from './dom.js';

/**
 * @param {FullView} full
 * @param {(id: string) => void} opened shows the exchange that a replay made
 * @param {(sentence: string) => void} say
 */
export function actionsOf(full, opened, say) {
  const replay = button('Replay', () => void replayed(full, opened, say));
  replay.disabled = !full.replay.possible;
  if (full.replay.why_not !== null) replay.title = full.replay.why_not;
  const har = make('a', { class: 'button', href: `/api/har?id=${full.id}`, download: '' }, 'HAR');
  const { curl } = full;
  const copy = button('Copy as curl', () => void (curl !== null && copied(curl, say)));
  copy.disabled = curl === null;
  if (curl === null) copy.title = full.replay.why_not ?? 'Not all of the request is kept.';
  return make('div', { class: 'actions' }, replay, copy, ...(full.state === 'done' ? [har] : []));
}

/** @param {FullView} full @param {(id: string) => void} opened @param {(sentence: string) => void} say */
async function replayed({ id, method, path, replay }, opened, say) {
  const asked = `${method} ${path} may change something when it is sent again.`;
  if (replay.confirm && !(await confirmed(asked))) return;
  try {
    const answer = await fetch(`/api/exchanges/${id}/replay`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ confirm: replay.confirm }),
    });
    /** @type {{ readonly id: string, readonly detail: string }} */
    const { id: made, detail } = await answer.json();
    if (answer.ok) opened(made);
    else say(detail);
  } catch {
    say('The proxy cannot be reached.');
  }
}

/** @param {string} sentence @returns {Promise<boolean>} */
function confirmed(sentence) {
  const dialog = byId('confirm', HTMLDialogElement);
  byId('confirm-text', HTMLParagraphElement).textContent = sentence;
  dialog.returnValue = '';
  dialog.showModal();
  byId('confirm-no', HTMLButtonElement).focus();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}

byId('confirm-yes', HTMLButtonElement).addEventListener('click', () =>
  byId('confirm', HTMLDialogElement).close('yes'),
);
byId('confirm-no', HTMLButtonElement).addEventListener('click', () =>
  byId('confirm', HTMLDialogElement).close(''),
);

/** @param {string} command @param {(sentence: string) => void} say */
async function copied(command, say) {
  try {
    await navigator.clipboard.writeText(command);
    say('Copied. What is redacted must be filled in.');
  } catch {
    // The clipboard is there for localhost and https only.
    say('The browser does not allow it: the command stands under "curl".');
  }
}
