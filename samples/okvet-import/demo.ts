import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { FILES } from './generate.js';
import { FILE_NAMES, PRACTICE } from './practice.js';

/** The demo of okvet-import: six files of a small practice, a third of their rows wrong in one way or another. */
export const demo = {
  about:
    'A veterinary practice as OkVet exports it: six CSV files, two of them Latin-1, with the usual mistakes in them.',
  async prepare(query: (sql: string) => Promise<unknown>): Promise<void> {
    await query(await readFile(new URL('schema.sql', FILES), 'utf8'));
  },
  flags: {
    input: FILE_NAMES.map((name) => `${name}=${fileURLToPath(new URL(`files/${name}.csv`, FILES))}`),
    encoding: FILE_NAMES.flatMap((name) => (PRACTICE[name].encoding === 'latin1' ? [`${name}=latin1`] : [])),
    maxRejects: '60%',
  },
  look: [
    {
      title: 'Rows',
      sql: FILE_NAMES.map((name) => `SELECT '${name}' AS "table", count(*)::int AS rows FROM ${name}`).join(
        ' UNION ALL ',
      ),
    },
    {
      title: 'Pets with their owners',
      sql: `SELECT p.source_id AS pet, p.name, p.species, p.birth_date::text AS born,
              coalesce(c.name, concat_ws(' ', c.first_name, c.last_name)) AS owner, c.phone
            FROM pets p JOIN clients c ON c.id = p.client_id ORDER BY p.id`,
    },
  ],
};
