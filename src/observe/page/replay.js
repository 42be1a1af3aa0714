/** The actions for an exchange: send its request again, unchanged or edited, copy it as curl, save it as HAR. */

/** @import { FullView } from '../inspector/types.ts' */
/** @import { Edit } from './edit.js' */

import { button, byId, make } from './dom.js';
import { editRequest } from './edit.js';

const UNREACHABLE = 'The proxy cannot be reached.';
/** A longer command gets its body from a file. */
const MAX_COMMAND = 2000;

/**
 * @param {FullView} full
 * @param {(id: string) => void} opened shows the exchange that a replay made
 * @param {(sentence: string) => void} say
 */
export function actionsOf(full, opened, say) {
  const sent = async (/** @type {Edit} */ edit) => {
    const result = await sendAgain(full, edit);
    if ('id' in result) opened(result.id);
    return 'id' in result ? null : result.detail;
  };
  const replay = button('Replay', () => void replayed(full, sent, say));
  replay.disabled = !full.replay.possible;
  if (full.replay.why_not !== null) replay.title = full.replay.why_not;
  const edit = button('Edit and replay', () => editRequest(full, sent));
  edit.disabled = full.state === 'running' || full.outcome === 'upgraded' || full.method === '-';
  const har = make('a', { class: 'button', href: `/api/har?id=${full.id}`, download: '' }, 'HAR');
  const command = curlOf(full);
  const copy = button('Copy as curl', () => void (command !== null && copied(command, say)));
  copy.disabled = command === null;
  if (command === null) copy.title = full.replay.why_not ?? 'Not all of the request is kept.';
  return make('div', { class: 'actions' }, replay, edit, copy, ...(full.state === 'done' ? [har] : []));
}

/** The command that is copied: the one that holds the body, unless that makes it too long. @param {FullView} full */
function curlOf({ curl, curl_file: file }) {
  return curl !== null && curl.length > MAX_COMMAND && file !== null ? file.command : curl;
}

/** The command, and the file that it may name. @param {FullView} full */
export function curlBlock(full) {
  const command = curlOf(full);
  if (command === null) return make('p', { class: 'caption' }, 'Not all of the request is kept.');
  const { curl_file: file } = full;
  const block = make('div', {}, commandBlock('curl', command));
  if (file === null) return block;
  const link = make(
    'a',
    { href: `/api/exchanges/${full.id}/request-body`, download: '' },
    `Download ${file.name}`,
  );
  if (command === file.command)
    block.append(make('p', { class: 'caption' }, link, ' into the folder where you run the command.'));
  else
    block.append(
      make('p', { class: 'caption' }, 'With the body in a file: ', link),
      commandBlock('curl with a file', file.command),
    );
  return block;
}

/** @param {string} label @param {string} command */
function commandBlock(label, command) {
  return make('pre', { tabindex: '0', role: 'region', 'aria-label': label }, command);
}

/** @param {FullView} full @param {(edit: Edit) => Promise<string | null>} sent @param {(sentence: string) => void} say */
async function replayed({ method, path, replay }, sent, say) {
  const asked = `${method} ${path} may change something when it is sent again.`;
  if (replay.confirm && !(await confirmed(asked))) return;
  const wrong = await sent({});
  if (wrong !== null) say(wrong);
}

/** Whoever calls it has asked the person. @param {FullView} full @param {Edit} edit @returns {Promise<{ readonly id: string } | { readonly detail: string }>} */
async function sendAgain({ id }, edit) {
  try {
    const answer = await fetch(`/api/exchanges/${id}/replay`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ confirm: true, edit }),
    });
    /** @type {{ readonly id: string, readonly detail: string }} */
    const { id: made, detail } = await answer.json();
    return answer.ok ? { id: made } : { detail };
  } catch {
    return { detail: UNREACHABLE };
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
export async function copied(command, say) {
  try {
    await navigator.clipboard.writeText(command);
    say(command.includes('[redacted]') ? 'Copied. Fill in the [redacted] values.' : 'Copied.');
  } catch {
    // Browsers offer the clipboard only on localhost and https.
    say('The browser does not allow it: copy the command below by hand.');
  }
}
