import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import lotConsolidation from '../../../pipelines/lot-consolidation/index.js';
import { fill } from '../../../samples/lot-consolidation/generate.js';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import type { Cut, Uncut } from '../../../src/core/parts.js';
import type { Pipeline } from '../../../src/core/pipeline.js';
import { named, type Source, type Stage, within } from '../../../src/core/types.js';
import type { TestDatabase } from '../../support/database.js';
import { tempFolder } from '../../support/files.js';
import { filledSystem, leftBy } from '../../support/filled-lots.js';
import { lotSystem, type Options, runOn } from '../../support/lots.js';
import { thrown } from '../../support/thrown.js';
import { until } from '../../support/until.js';

/** Parts are the smallest that there are: about a thousand rows. */
const PARTS: Options = { segmentBytes: 1, jobs: 3 };

/** The pipeline, with the parts counted that its input is read in. */
function counted(seen: { parts: number }): Pipeline {
  const source = lotConsolidation.inputs.serials as Source;
  const cut: Source['cut'] = async (run, how) => {
    const found = (await source.cut?.(run, how)) as Cut | Uncut;
    if ('rows' in found) return found;
    return {
      ...found,
      async *parts() {
        for await (const part of found.parts()) {
          seen.parts++;
          yield part;
        }
      },
    };
  };
  return { ...lotConsolidation, inputs: { serials: { ...source, cut } } };
}

/** Parts that are committed, of a batch that goes on. */
const partsOf = async (database: TestDatabase): Promise<number> =>
  (
    await database.query<{ parts: number }>(
      `SELECT count(*)::int AS parts FROM sluice.migration_part WHERE branch = '1'`,
    )
  )[0]?.parts ?? 0;

/** The pipeline with its backup file in a folder, and a stage behind its input that `watch` makes. */
function watched(watch: Stage, of: Pipeline = lotConsolidation): Pipeline {
  return {
    ...of,
    flows: (given) =>
      of.flows(given).map((plan) => ({
        ...plan,
        root: { ...plan.root, stages: [watch, ...plan.root.stages] },
      })),
  };
}

async function inFolder<T>(path: string, work: () => Promise<T>): Promise<T> {
  const before = process.cwd();
  process.chdir(path);
  try {
    return await work();
  } finally {
    process.chdir(before);
  }
}

for (const [serials, seed] of [
  [9_000, 1],
  [6_000, 2],
  [400, 3],
] as const)
  test(`in parts by its groups it leaves what it leaves in one piece (system ${seed})`, async (t) => {
    const [one, several] = [tempFolder(t), tempFolder(t)];
    const whole = await filledSystem(t, serials, seed);
    const seen = { parts: 0 };
    await inFolder(one, () => runOn(t, whole, counted(seen), { ...PARTS, jobs: 1 }));
    assert.equal(seen.parts, 0);
    const cut = await filledSystem(t, serials, seed);
    const { summary } = await inFolder(several, () => runOn(t, cut, counted(seen), PARTS));
    assert.equal(summary.status, 'completed');
    if (serials > 2_000) assert.ok(seen.parts > 3, `${seen.parts} parts`);
    assert.deepEqual(await leftBy(cut, several), await leftBy(whole, one));
  });

test('a group that is larger than a part is one part, and no groups are none', async (t) => {
  const large = await lotSystem(t, { data: false });
  const client = await large.connect();
  await fill(client, { serials: 4_000, seed: 4 });
  await large.query(`UPDATE lots SET production_line_id = 1, product_model_id = 1, production_month = '2501',
    lot_number = 'WF-KR-2501' || lpad((1 + id % 28)::text, 2, '0') || 'D-' || lpad((id / 28)::text, 3, '0');
    UPDATE lots SET production_month = '2502', lot_number = replace(lot_number, '-2501', '-2502')
    WHERE id IN (SELECT id FROM lots ORDER BY id LIMIT 1)`);
  const error = await thrown(runOn(t, large, lotConsolidation, { ...PARTS, settings: { backup: 'off' } }));
  assert.match(String(error), /more than 999 serials/);
  const seen = { parts: 0 };
  const { summary } = await runOn(t, large, counted(seen), {
    ...PARTS,
    settings: { backup: 'off', overflow: 'widen' },
  });
  assert.equal(summary.status, 'completed');
  assert.equal(seen.parts, 2, 'the large group, and the small one');
  assert.equal((await large.query('SELECT FROM lots')).length, 2);
  const wide = await large.query(`SELECT FROM serials WHERE serial_number ~ '^.{11}[0-9]{4}$'`);
  assert.ok(wide.length > 3_000, `${wide.length} serials of the large group`);
  const empty = await lotSystem(t, { data: false });
  const none = await runOn(t, empty, lotConsolidation, {
    ...PARTS,
    settings: { backup: 'off' },
    allowEmpty: true,
  });
  assert.equal(none.summary.read, 0);
});

test('a load that is killed between parts goes on: its parts are compared, the others loaded, the file is whole', async (t) => {
  const [one, several] = [tempFolder(t), tempFolder(t)];
  const whole = await filledSystem(t, 9_000, 5);
  await inFolder(one, () => runOn(t, whole, lotConsolidation, { jobs: 1 }));
  const made = await filledSystem(t, 9_000, 5);
  let seen = 0;
  const killing = within(
    ['lot_id'],
    named('watched', async function* (rows) {
      for await (const chunk of rows) {
        seen += chunk.length;
        if (seen >= 5_000 && seen - chunk.length < 5_000) {
          await until('committed parts', async () => (await partsOf(made)) > 1);
          await made.query(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name ~ 'batch [0-9]+ load'`,
          );
        }
        yield chunk;
      }
    }),
    { keeps: true },
  );
  const error = await thrown(inFolder(several, () => runOn(t, made, watched(killing), PARTS)));
  assert.ok(error instanceof SluiceError && error.code === 'connection_lost', String(error));
  assert.deepEqual(
    readdirSync(several).filter((name) => name.startsWith('migration_backup')),
    [],
  );
  const before = await partsOf(made);
  assert.ok(before > 1);
  const counting = within(
    ['lot_id'],
    named('watched', (rows) => rows),
    { keeps: true },
  );
  const { summary } = await inFolder(several, () =>
    runOn(t, made, watched(counting), { ...PARTS, resume: '1' }),
  );
  assert.equal(summary.status, 'completed');
  const { batch: _, ...rows } = await leftBy(made, several);
  const { batch: __, ...wanted } = await leftBy(whole, one);
  assert.deepEqual(rows, wanted);
});

test('a stage that numbers across all groups keeps the flow in one piece', async (t) => {
  const made = await filledSystem(t, 3_000, 7);
  const numbering = named('numbering', async function* (rows) {
    for await (const chunk of rows) yield chunk;
  });
  const { summary } = await runOn(t, made, watched(numbering as Stage), {
    ...PARTS,
    settings: { backup: 'off' },
  });
  assert.equal(summary.status, 'completed');
  assert.equal(await partsOf(made), 0);
});
