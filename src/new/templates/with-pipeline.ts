import { createTable, type Wanted } from '../project.js';

/** What the tests of projects import: a file of theirs. */
export const PIPELINE = '../pipeline.js';

/** The scripts of a project with a pipeline. */
export const SCRIPTS = {
  check: 'sluice check ./pipeline.ts',
  dry: 'sluice run ./pipeline.ts --dry-run',
  start: 'sluice run ./pipeline.ts',
  test: 'tsc && node --test dist/test/pipeline.test.js',
};

/** What its README says to type; `first`: what comes before a check. */
export const STEPS = (first: string) => `\`\`\`sh
npm install
npm test                    # compiles, and runs the pipeline in a database of its own
${first}npm run check               # asks everything that a run would ask first
npm start                   # shows the plan, asks, runs
npx sluice status           # the batches
npx sluice rollback 1       # puts back what batch 1 replaced
\`\`\`

The database is the one that \`.env\` names (see \`.env.example\`), else an embedded PostgreSQL.
`;

/** The module with the statement that makes the table. */
export function tableModule(wanted: Wanted): string {
  return `/** The table that the rows end in; a run makes it where it is missing. */
export const createTable = \`${createTable(wanted.table, wanted.sample).replaceAll('`', '\\`')}\`;
`;
}
