import type { TestContext } from 'node:test';
import type { Pipeline } from '../../src/core/pipeline.js';
import { type BatchValidated, findPublished, validateBatch } from '../../src/run/maintain/revalidate.js';
import type { TestDatabase } from './database.js';
import { openDatabase } from './lots.js';

/** Asks the validations of a published batch again, as `sluice validate` does. */
export async function validated(
  t: TestContext,
  database: TestDatabase,
  pipeline: Pipeline,
  batch: string,
): Promise<BatchValidated> {
  const opened = openDatabase(t, database);
  try {
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    return await validateBatch(pipeline, await findPublished(opened, batch), { database: opened, log });
  } finally {
    await opened.close();
  }
}

/** The sentences of all that is wrong, each with the validation's name. */
export const wrong = ({ validations }: BatchValidated): string[] =>
  validations.flatMap(({ name, findings }) =>
    findings
      .filter(({ severity }) => severity === 'error')
      .map(({ message, details = [] }) => `${name}: ${message}: ${details.join('; ')}`),
  );
