import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { FILES } from '../../../samples/lot-consolidation/generate.js';
import type { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { csv } from '../../../src/sources/csv/index.js';
import { tempFile } from '../../support/files.js';
import { long } from '../../support/long.js';
import {
  contents,
  exported,
  leftGuards,
  leftSchemas,
  lotSystem,
  runLots,
  sample,
} from '../../support/lots.js';
import { thrown } from '../../support/thrown.js';

interface Case {
  /** What happens, as a sentence. */
  readonly says: string;
  readonly code: string;
  readonly message: RegExp;
  readonly lines: RegExp;
}

const CASES: Readonly<Record<string, Case>> = {
  'group-too-large': {
    says: 'a group of more than 999 serials is refused and listed, before anything is read',
    code: 'check_refused',
    message: /^fits-three-digits: a group has more than 999 serials/,
    lines: /^KR02PSA2511: 1050 serials in 11 LOTs$/m,
  },
  'number-taken': {
    says: 'a number held by a LOT of another group is refused, both named',
    code: 'check_refused',
    message: /^number-not-taken: a number is wanted by a group and held by a LOT outside it/,
    lines: /^KR01PSA2511: wanted for LOT 11 and its group, held by LOT 931/m,
  },
  'serial-taken': {
    says: 'a serial number held outside the group is refused, the serial that holds it named',
    code: 'check_refused',
    message: /^serial-not-taken: a serial number is wanted by a group and held by a serial outside it/,
    lines: /^LI14PSA2511007: wanted in LOT LI14PSA2511, held by serial 94101 of LOT 51 \(KR01PSB2509\)/m,
  },
};

test('there is a case here for every file in bad/', async () => {
  const files = (await readdir(new URL('bad/', FILES))).map((name) => name.replace('.sql', ''));
  assert.deepEqual(files.sort(), Object.keys(CASES).sort());
});

for (const [name, wanted] of Object.entries(CASES)) {
  test(wanted.says, async (t) => {
    const database = await lotSystem(t, { sql: await sample(`bad/${name}.sql`) });
    const before = await contents(database);
    const error = await thrown(runLots(t, database));
    assert.equal(error.kind, 'refused');
    assert.equal(error.code, wanted.code);
    assert.match(error.message, wanted.message);
    assert.match((error.facts.details ?? []).join('\n'), wanted.lines);
    assert.match(error.facts.state ?? '', /live tables are untouched/);
    assert.ok(error.facts.next !== undefined, 'it says what to do next');
    assert.deepEqual(await contents(database), before);
    assert.deepEqual(await leftSchemas(database), []);
    assert.deepEqual(await leftGuards(database), []);
  });
}

long('too large a group is widened where that was asked for: 1050 serials from 0001', async (t) => {
  const database = await lotSystem(t, { sql: await sample('bad/group-too-large.sql') });
  const { summary } = await runLots(t, database, { settings: { overflow: 'widen' } });
  assert.equal(summary.status, 'completed');
  const [wide] = await database.query(
    `SELECT count(*)::int AS n, min(serial_number) AS first, max(serial_number) AS last FROM serials
     WHERE lot_id = (SELECT id FROM lots WHERE lot_number = 'KR02PSA2511')`,
  );
  assert.deepEqual(wide, { n: 1050, first: 'KR02PSA25110001', last: 'KR02PSA25111050' });
  const [narrow] = await database.query(
    "SELECT count(*)::int AS n FROM serials WHERE serial_number ~ '^LI14PSA2511[0-9]{3}$'",
  );
  assert.deepEqual(narrow, { n: 250 }, 'other groups keep their three digits');
});

long(
  'of a file, whose rows nobody knows before, a serial number held outside the group is refused before the swap',
  async (t) => {
    const database = await lotSystem(t, { sql: await sample('bad/serial-taken.sql') });
    const before = await contents(database);
    const inputs = { serials: csv(tempFile(t, 'old.csv', (await exported(database)).join('\n'))) };
    await assert.rejects(runLots(t, database, { inputs }), (error: SluiceError) => {
      assert.equal(error.code, 'validation_refused');
      assert.match(error.message, /numbers-unique: a serial number would be held more than once/);
      assert.match((error.facts.details ?? []).join('\n'), /^LI14PSA2511007: 2 times$/m);
      return true;
    });
    assert.deepEqual(await contents(database), before);
  },
);

long('a serial of a LOT that stays may have any number that the group does not give', async (t) => {
  // The group gives 001 to 250.
  const database = await lotSystem(t, {
    sql: "INSERT INTO serials (id, lot_id, serial_number) VALUES (94101, 51, 'LI14PSA2511251'), (94102, 51, 'LI14PSA25110007')",
  });
  assert.equal((await runLots(t, database)).summary.status, 'completed');
});
