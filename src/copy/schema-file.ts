import { readFile } from 'node:fs/promises';
import { stageErrors } from '../core/errors/catalogue/stages.js';
import { parseJson } from '../core/json/parse.js';
import type { Row } from '../core/row.js';
import type { Stage } from '../core/types.js';
import { statInput } from '../sources/bytes/local.js';

/**
 * A stage that rejects rows which do not fit the JSON Schema in the file at `path`. Throws usage
 * `bad_schema`, and what `statInput` throws.
 */
export async function schemaStage(path: string): Promise<Stage> {
  const schema = await readSchema(path);
  // ajv takes a tenth of a second to load, and most copies have no schema.
  const { validate } = await import('../../transforms/validate.js');
  return validate<Row>(schema, { name: path });
}

async function readSchema(path: string): Promise<Readonly<Record<string, unknown>>> {
  await statInput(path);
  const wrong = (why: string, cause?: unknown) => stageErrors.bad_schema.file({ path, why }, { cause });
  let schema: unknown;
  try {
    schema = parseJson(await readFile(path, 'utf8'));
  } catch (cause) {
    throw wrong((cause as Error).message, cause);
  }
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
    throw wrong('it is no JSON object');
  return schema as Readonly<Record<string, unknown>>;
}
