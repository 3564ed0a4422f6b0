import { createWriteStream, existsSync, renameSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { to } from 'pg-copy-streams';
import { csv, FILES, fill } from '../../samples/lot-consolidation/generate.js';
import type { Contest } from './contest.js';
import { ANALYZE, CREATE_AS, CREATE_EMPTY, FINISH, VALIDATIONS } from './lots-sql.js';
import { measure } from './measure.js';
import type { Place } from './place.js';
import { script } from './script.js';

const SEED = 7;

/** lot-consolidation: inside the database, and from a CSV that is piped in. */
export function lotContests(place: Place, rows: number, slowRows: number): Contest[] {
  const prepare = (serials: number) => restored(place, serials);
  const shared = {
    rows,
    prepare,
    checksum: () => place.checksum(['lots', 'serials']),
  };
  const sluice = (more: readonly string[], stdin?: string) =>
    place.sluice(['run', 'lot-consolidation', '--yes', '--quiet', ...more], stdin);
  const oneStatement = script(
    [...CREATE_AS, ANALYZE, ...VALIDATIONS, ...FINISH],
    place.url,
    place.folder,
    'one-statement',
  );
  const file = (name: string) => join(place.folder, `${name}-${rows}.csv`);
  const files = { old: file('old'), lots: file('lots'), serials: file('serials') };
  const withoutBackup = ['--set', 'backup=off'];
  return [
    {
      ...shared,
      key: 'lots',
      setUp: async () => {},
      work: 'lot-consolidation inside the database, with validations',
      contestants: [
        { name: 'sluice', command: sluice(withoutBackup) },
        { name: 'sluice, with its backup file', command: sluice([]) },
        { name: 'CREATE TABLE AS … row_number()', command: oneStatement, atMost: 1 },
        {
          name: 'row-by-row UPDATEs',
          atMost: 1 / 30,
          rows: Math.min(rows, slowRows),
          runs: 1,
          command: place.node('row-by-row.js', []),
        },
      ],
    },
    {
      ...shared,
      key: 'piped',
      setUp: () => exported(place, rows, files, () => measure(oneStatement)),
      work: 'lot-consolidation from a piped CSV',
      contestants: [
        { name: 'sluice', command: sluice([...withoutBackup, '--source', '-'], files.old) },
        {
          name: 'the limit: COPY of the finished CSV',
          atMost: 2,
          command: script(
            [
              ...CREATE_EMPTY,
              { into: 'incoming.lots', file: files.lots },
              { into: 'incoming.serials', file: files.serials },
              ANALYZE,
              ...FINISH,
            ],
            place.url,
            place.folder,
            'finished',
          ),
        },
      ],
    },
  ];
}

async function restored(place: Place, serials: number): Promise<void> {
  await place.restore(`lots_${serials}`, async (url) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      await client.query(await readFile(new URL('schema.sql', FILES), 'utf8'));
      // Renaming tables in SQL leaves views on the old ones; the script is spared making them anew.
      await client.query(
        'DROP VIEW line_output, lot_summary; CREATE SCHEMA incoming; CREATE SCHEMA outgoing',
      );
      await fill(client, { serials, seed: SEED });
    } finally {
      await client.end();
    }
  });
}

/** The old system's export, and what the finished tables hold, as files. */
async function exported(
  place: Place,
  rows: number,
  files: { readonly old: string; readonly lots: string; readonly serials: string },
  consolidate: () => Promise<unknown>,
): Promise<void> {
  if (Object.values(files).every((path) => existsSync(path))) return;
  await pipeline(Readable.from(csv({ serials: rows, seed: SEED })), createWriteStream(files.old));
  await restored(place, rows);
  await consolidate();
  const client = new pg.Client({ connectionString: place.url });
  await client.connect();
  try {
    for (const [table, path] of [
      ['lots', files.lots],
      ['serials', files.serials],
    ] as const) {
      const rows = client.query(to(`COPY public.${table} TO STDOUT WITH (FORMAT csv, HEADER)`));
      await pipeline(rows, createWriteStream(`${path}.part`));
      renameSync(`${path}.part`, path);
    }
  } finally {
    await client.end();
  }
}
