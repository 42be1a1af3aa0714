/** One exchange of the soak as a client has it: sends what the plan says and judges what comes back. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '../../test/harness/client.ts';
import { readAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import { bodyOf } from './body.ts';
import { targetOf } from './plan.ts';
import type { Plan, Result } from './plan.ts';

/** No exchange may last longer: the longest has to wait for an outage and for a hanging upstream. */
const HANGS_AFTER_MS = 30_000;

/** Ends our side and sees the proxy's end. @throws when that is no FIN */
export async function close(client: Client): Promise<void> {
  client.halfClose();
  await seeFin(client);
}

/** @throws when the proxy ends otherwise, or sends anything more */
async function seeFin({ socket, reader }: Client): Promise<void> {
  const end = await reader.end();
  socket.destroy();
  if (end !== 'fin') throw new Error('the connection was reset after its response');
  if (reader.bytes > 0) throw new Error(`${reader.bytes} bytes after the response`);
}

export interface Conversation {
  readonly result: Result | 'left';
  /** What the proxy says of its refusal; empty when there was none. */
  readonly reason: string;
  /** The connection can be used again. */
  readonly kept: boolean;
}

/** @throws when the proxy broke its promise, with how */
export async function converse(client: Client, plan: Plan): Promise<Conversation> {
  let hung = false;
  const watch = setTimeout(() => {
    hung = true;
    client.socket.destroy();
  }, HANGS_AFTER_MS);
  try {
    if (plan.leaving !== null) return await leave(client, plan);
    await sendRequest(client, plan);
    const answer = await readAnswer(client.reader, plan.method);
    const result = await judge(client, plan, answer);
    return { result, reason: reasonOf(answer, result), kept: await follow(client, plan, answer) };
  } catch (cause) {
    throw hung ? new Error(`still not over after ${HANGS_AFTER_MS} ms`, { cause }) : cause;
  } finally {
    clearTimeout(watch);
  }
}

function headOf({ method, wish, upload, version, closes }: Plan): string {
  const lines = [`${method} ${targetOf(wish)} HTTP/${version}`, 'Host: soak'];
  if (wish.framed === 'upgrade')
    lines.push('Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13');
  else if (closes) lines.push('Connection: close');
  if (upload?.chunked === true) lines.push('Transfer-Encoding: chunked');
  else if (upload !== null) lines.push(`Content-Length: ${wish.uploadBytes}`);
  if (upload?.expects === true) lines.push('Expect: 100-continue');
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** All of the body that the client sends. */
function uploadOf({ wish, upload, dice }: Plan): Buffer[] {
  const body = bodyOf(wish.id, wish.uploadBytes);
  if (upload === null || body.length === 0) return upload?.chunked === true ? [LAST_CHUNK] : [];
  if (!upload.chunked) return [body];
  const sizeBytes = 1000 + (dice % 60_000);
  const parts: Buffer[] = [];
  for (let from = 0; from < body.length; from += sizeBytes) {
    const part = body.subarray(from, from + sizeBytes);
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, CRLF);
  }
  return [...parts, LAST_CHUNK];
}

const CRLF = Buffer.from('\r\n');
const LAST_CHUNK = Buffer.from('0\r\n\r\n');

async function sendRequest({ socket, reader }: Client, plan: Plan): Promise<void> {
  const { upload } = plan;
  socket.write(headOf(plan), 'latin1');
  if (upload?.expects === true) {
    const interim = await reader.until('\r\n\r\n');
    if (interim?.startsWith('HTTP/1.1 100 ') !== true) throw new Error(`no 100, but ${interim ?? 'the end'}`);
  }
  for (const part of uploadOf(plan)) socket.write(part);
}

async function judge(client: Client, plan: Plan, answer: Answer): Promise<Result> {
  const { wish } = plan;
  if (answer.kind === 'cut') {
    if (wish.framed === 'events' && answer.status === 200) return 'cut';
    throw new Error(`cut (${client.reader.ended}) after status ${answer.status} and ${answer.bytes} bytes`);
  }
  const { status, fields, body } = answer;
  if (status === 502 || status === 503 || status === 504) {
    if (fields.get('proxy-status')?.includes('error=') !== true) throw new Error(`${status}, and no reason`);
    return status;
  }
  if (status === 101) return await seeEcho(client, plan);
  const due = wish.framed === 'none' ? [204, 304] : [200];
  if (!due.includes(status)) throw new Error(`status ${status} ${body.toString('latin1').slice(0, 300)}`);
  if (fields.get('x-id') !== String(wish.id))
    throw new Error(`the response to ${fields.get('x-id') ?? 'none'}`);
  const bytes = plan.method === 'HEAD' || wish.framed === 'none' ? 0 : wish.bytes;
  if (!body.equals(bodyOf(wish.id, bytes))) throw new Error(`another body: ${body.length} of ${bytes} bytes`);
  if (wish.early && plan.version === '1.1' && !answer.interim.includes(103)) throw new Error('no 103');
  return 'whole';
}

function reasonOf(answer: Answer, result: Result): string {
  if (answer.kind === 'cut' || typeof result === 'string') return '';
  return `${answer.fields.get('proxy-status') ?? ''} ${answer.body.toString('latin1')}`;
}

async function seeEcho(client: Client, { wish }: Plan): Promise<Result> {
  const sent = bodyOf(wish.id, wish.uploadBytes);
  client.socket.write(sent);
  const came = await client.reader.take(sent.length);
  if (came?.equals(sent) !== true) throw new Error(`the echo was ${came === null ? 'cut' : 'another'}`);
  return 'whole';
}

/** What a client does after the response. True: it keeps the connection. */
async function follow(client: Client, plan: Plan, answer: Answer): Promise<boolean> {
  if (answer.kind === 'cut') {
    client.socket.destroy();
    return false;
  }
  const closed = answer.fields.get('connection') === 'close';
  if (plan.wish.framed === 'upgrade' && answer.status === 101) await close(client);
  else if (!closed) return true;
  else if (plan.dice % 2 === 0) await close(client);
  else await seeFin(client);
  return false;
}

/** Leaves without a word, by FIN and RST in turn. */
async function leave({ socket, reader }: Client, plan: Plan): Promise<Conversation> {
  const { leaving, dice } = plan;
  const all = Buffer.concat([Buffer.from(headOf(plan), 'latin1'), ...uploadOf(plan)]);
  socket.write(leaving === 'in-request' ? all.subarray(0, dice % all.length) : all);
  if (leaving === 'in-answer') await reader.more();
  else await delay(dice % 30);
  if (dice % 2 === 0) socket.destroy();
  else socket.resetAndDestroy();
  return { result: 'left', reason: '', kept: false };
}
