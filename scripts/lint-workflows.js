// Checks the workflows of .github, or of the folder that is named, with GitHub's own parser. Run by jiti: the parser imports JSON.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } from '@actions/workflow-parser';

const [folder = path.join(import.meta.dirname, '..', '.github', 'workflows')] = process.argv.slice(2);
for (const name of readdirSync(folder)) {
  const content = readFileSync(path.join(folder, name), 'utf8');
  const { context, value } = parseWorkflow({ name, content }, new NoOperationTraceWriter());
  await convertWorkflowTemplate(context, value);
  for (const error of context.errors.getErrors()) {
    console.error(String(error));
    process.exitCode = 1;
  }
}
