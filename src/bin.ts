#!/usr/bin/env node
/** The executable: hands the process to the command, and the command's exit code to the process. */

import { main } from './cli/main.ts';

const { argv, env, stdout, stderr } = process;

process.exitCode = await main(argv.slice(2), env, { stdout, stderr });
