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
  /** Rejects by reason, as the ledger has them; none where a check refused before anything was read. */
  readonly rejects?: Readonly<Record<string, number>>;
}

const CASES: Readonly<Record<string, Case>> = {
  'group-too-large': {
    says: 'a group of more than 999 serials is refused and listed, before anything is read',
    code: 'check_refused',
    message: /^fits-three-digits: a group has more than 999 serials/,
    lines: /^KR02PSA2511: 1050 serials in 11 LOTs$/m,
  },
  'malformed-number': {
    says: 'malformed LOT numbers are rejects, every line of theirs named',
    code: 'too_many_rejects',
    message: /^5 of 378 rows were rejected; none may be/,
    lines: /the LOT number WF-KR-251121X-001 is neither old .* nor new/,
    rejects: { malformed_lot_number: 5 },
  },
  'missing-line': {
    says: 'LOTs without a production line are rejects, with their serials',
    code: 'too_many_rejects',
    message: /^2 of 375 rows were rejected/,
    lines: /LOT WF-KR-251121D-001 has no production line/,
    rejects: { missing_line: 2 },
  },
  'missing-model': {
    says: 'a LOT without a model is a reject, even without serials',
    code: 'too_many_rejects',
    message: /^1 of 374 rows was rejected/,
    lines: /LOT WF-KR-251121D-002 has no product model/,
    rejects: { missing_model: 1 },
  },
  'month-disagrees': {
    says: 'a number of another month than its LOT is a reject',
    code: 'too_many_rejects',
    message: /^1 of 374 rows was rejected/,
    lines: /LOT WF-KR-251022D-001 is of 2510 by its number and of 2511 by its production_month/,
    rejects: { month_disagrees: 1 },
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
    if (wanted.rejects === undefined) return;
    const stored = await database.query<{ reason: string; n: number }>(
      'SELECT reason, count(*)::int AS n FROM sluice.migration_reject GROUP BY 1',
    );
    assert.deepEqual(Object.fromEntries(stored.map((row) => [row.reason, row.n])), wanted.rejects);
    const [batch] = await database.query('SELECT status, error_count::int FROM sluice.migration_batch');
    assert.equal(batch?.status, 'failed');
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
