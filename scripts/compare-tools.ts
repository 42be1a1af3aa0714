/** Asks the servers of frontends twenty times, with their own proxies and with lastbyte in their place: `npm run compare:tools`. */

import { startServer, whyMissing, type ServerName } from '../test/real/servers.ts';
import { askOnce, type Outcome } from './compare/outcome.ts';
import { cellText, say, writeTable } from './compare/table.ts';
import { startTool, titleOf, TOOLS, UNREAD, whyNoTool, type Tool } from './compare/tools.ts';

const TRIES = 20;
const SERVERS = ['Django runserver', 'Flask (Werkzeug)'] as const satisfies readonly ServerName[];
const PROXIES = ['own', 'lastbyte'] as const;

async function main(): Promise<void> {
  for (const server of SERVERS) {
    const missing = whyMissing(server);
    if (missing !== null) throw new Error(missing);
  }
  for (const tool of TOOLS) {
    const missing = whyNoTool(tool);
    if (missing !== null) throw new Error(missing);
  }
  const rows: string[][] = [];
  for (const tool of TOOLS) rows.push([titleOf(tool), ...(await cellsOf(tool))]);
  const heads = SERVERS.flatMap((server) => [`${server}, its own proxy`, `${server}, lastbyte`]);
  writeTable('tools', [['server of the frontend', ...heads], ...rows]);
}

async function cellsOf(tool: Tool): Promise<string[]> {
  const cells: string[] = [];
  for (const server of SERVERS) {
    await using upstream = await startServer(server);
    for (const proxy of PROXIES) {
      await using front = await startTool(tool, proxy, upstream.url);
      const outcomes: Outcome[] = [];
      while (outcomes.length < TRIES) outcomes.push(await askOnce(front.port, UNREAD));
      say(`${titleOf(tool)}, ${proxy}: ${server}: ${outcomes.join(', ')}`);
      cells.push(cellText(outcomes));
    }
  }
  return cells;
}

await main();
