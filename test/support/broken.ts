import type { TestContext } from 'node:test';
import { SluiceError } from '../../src/core/errors/sluice-error.js';
import type { Pipeline } from '../../src/core/pipeline.js';
import type { Row } from '../../src/core/row.js';
import type { StoredReject } from '../../src/core/stored-reject.js';
import type { Source } from '../../src/core/types.js';
import { csv } from '../../src/sources/csv/index.js';
import type { TestDatabase } from './database.js';
import { tempFile } from './files.js';
import { type Options, runOn } from './lots.js';

/** A CSV file with these lines, as an input. */
export const csvFile = (t: TestContext, name: string, ...lines: readonly string[]): Source =>
  csv(tempFile(t, name, `${lines.join('\n')}\n`)) as Source;

/** A reject as the ledger has it, in short. */
export type Told = Pick<StoredReject, 'reason' | 'constraint_name' | 'column_name' | 'value' | 'raw'> & {
  readonly line: number | null;
};

/** A run that may be refused, and what the ledger has of its rejects then, by line. */
export async function runAround(
  t: TestContext,
  database: TestDatabase,
  pipeline: Pipeline,
  options: Options = { maxRejects: { rows: 1000 }, maxShrink: 100 },
) {
  const ran = await runOn(t, database, pipeline, options).catch((error: unknown) => {
    if (error instanceof SluiceError) return error;
    throw error;
  });
  const rejects = await database.query<Told & Row>(
    `SELECT line::float8 AS line, reason, constraint_name, column_name, value, raw, message FROM sluice.migration_reject
     WHERE batch_id = (SELECT max(id) FROM sluice.migration_batch) ORDER BY line, number`,
  );
  return { ran, rejects };
}

/** `line reason constraint columns=value` of each. */
export const inShort = (rejects: readonly Told[]) =>
  rejects.map(
    ({ line, reason, constraint_name, column_name, value }) =>
      `${line} ${reason} ${constraint_name} ${column_name}=${value}`,
  );
