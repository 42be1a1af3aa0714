#!/usr/bin/env node
/** The executable: hands the process to the command, and the command's exit code to the process. */

import * as nodeModule from 'node:module';

// Node 22.8 and later keep what they have compiled, if they are asked before anything is loaded.
if ('enableCompileCache' in nodeModule && typeof nodeModule.enableCompileCache === 'function') {
  nodeModule.enableCompileCache();
}

const { main } = await import('./cli/main.ts');

const { argv, env, stdout, stderr } = process;

process.exitCode = await main(argv.slice(2), env, { stdout, stderr });
