import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { FILES } from '../../../samples/lot-consolidation/generate.js';
import { SluiceError } from '../../../src/core/errors.js';
import { contents, leftGuards, leftSchemas, lotSystem, runLots, sample } from '../../support/lots.js';

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
    says: 'a serial number held outside the group is refused before the swap',
    code: 'validation_refused',
    message: /numbers-unique: a serial number would be held more than once/,
    lines: /^LI14PSA2511007: 2 times$/m,
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
    const error: unknown = await runLots(t, database).then(
      () => assert.fail('it was published'),
      (thrown) => thrown,
    );
    assert.ok(error instanceof SluiceError, String(error));
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

test('too large a group is widened where that was asked for: 1050 serials from 0001', async (t) => {
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
