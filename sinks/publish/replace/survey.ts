import type { Client } from 'pg';
import { replaceErrors } from '../../../src/core/errors/catalogue/replace.js';
import { tableErrors } from '../../../src/core/errors/catalogue/tables.js';
import { distinct } from '../../../src/core/next.js';
import { readCompiled, readDependents, readMaterialized } from '../../../src/db/catalog/dependents.js';
import { fingerprintOf } from '../../../src/db/catalog/fingerprint.js';
import { readHidden } from '../../../src/db/catalog/hidden-rows.js';
import { readKeptOids } from '../../../src/db/catalog/kept-oids.js';
import { type Likeness, readLikeness } from '../../../src/db/catalog/likeness.js';
import { readObstacles } from '../../../src/db/catalog/obstacles.js';
import { withCatalog } from '../../../src/db/catalog/session.js';
import { readTables, tableOid } from '../../../src/db/catalog/table.js';
import { carriedBy } from './carried.js';
import { assertDistributable } from './distributed.js';
import { keptOidRefusals } from './kept-oids.js';
import { refusalsFor } from './refusals.js';
import type { ReplaceTarget, Survey } from './surveyed.js';

/**
 * Reads all that a swap of `targets` must know; writes nothing and takes no lock beyond ACCESS SHARE on
 * catalogs. `client` must be idle; it is left as found. Survey before the load (to refuse early), and
 * again before finishStaging and replaceParts, since the catalog may have changed during the load.
 * Throws refused('no_such_table') for a target that is not there, refused('distributed_table') for one that Citus has
 * distributed as no new table can be, and failed('catalog_busy') where DDL on
 * the tables keeps changing them while they are read.
 */
export async function surveyReplace(client: Client, targets: readonly ReplaceTarget[]): Promise<Survey> {
  for (let attempt = 1; attempt <= 5; attempt++) {
    const survey = await withCatalog(client, () => readOnce(client, targets));
    if (survey !== undefined) return survey;
  }
  throw replaceErrors.catalog_busy({ details: targets.map((target) => `${target.schema}.${target.table}`) });
}

async function readOnce(client: Client, targets: readonly ReplaceTarget[]): Promise<Survey | undefined> {
  const oids: number[] = [];
  for (const { schema, table } of targets) {
    const oid = await tableOid(client, schema, table);
    if (oid === undefined) {
      throw tableErrors.no_such_table.toReplace({ table: `${schema}.${table}` });
    }
    if (!oids.includes(oid)) oids.push(oid);
  }
  const before = await fingerprintOf(client, oids);
  const tables = (await readTables(client, oids)).filter((facts) => facts !== undefined);
  if (tables.length < oids.length) return undefined;
  const dependents = await readDependents(client, oids);
  assertDistributable(tables, dependents);
  const compiled = await readCompiled(client, oids);
  const obstacles = await readObstacles(client, oids);
  const hidden = await readHidden(client, oids);
  const refresh = await readMaterialized(client, oids);
  const keptOids = await readKeptOids(client, oids);
  const likeness: Likeness[] = [];
  for (const oid of oids) likeness.push(await readLikeness(client, oid));
  const fingerprint = await fingerprintOf(client, oids);
  if (before !== fingerprint) return undefined;
  return {
    targets,
    tables,
    dependents,
    compiled,
    refresh,
    carried: carriedBy(tables, dependents, compiled, refresh),
    refusals: [
      ...refusalsFor(tables, dependents, compiled, obstacles, hidden),
      ...keptOidRefusals(targets, tables, keptOids),
    ],
    keptOids,
    likeness,
    fingerprint,
  };
}

/** Throws refused('cannot_replace') listing every refusal; returns where there is none. */
export function assertReplaceable(survey: Survey): void {
  const [first] = survey.refusals;
  if (first === undefined) return;
  throw replaceErrors.cannot_replace(
    {
      table: first.table,
      object: first.object,
      reason: first.reason,
      next: distinct(survey.refusals.flatMap((each) => each.next)),
    },
    { details: survey.refusals.map((each) => `${each.table}: ${each.object}: ${each.reason}`) },
  );
}
