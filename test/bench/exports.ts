import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import type { Contest } from './contest.js';
import { type EventFiles, generate } from './events.js';
import { COLUMNS } from './events-table.js';
import { type Command, installed, measure } from './measure.js';
import type { Place } from './place.js';
import { script } from './script.js';

/** The table of ten columns as a file; what is compared is the file, byte for byte. */
export function exportContests(place: Place, rows: number, files: EventFiles): Contest[] {
  const shared = {
    rows,
    setUp: () => generate(rows, files),
    prepare: () =>
      place.restore('exported', async (url) => {
        await place.query(`CREATE TABLE public.events (${COLUMNS})`, url);
        await measure(script([{ into: 'public.events', file: files.csv }], url, place.folder, 'exported'));
      }),
  };
  const sluice = (file: string) =>
    place.sluice(['export', 'public.events', '--into', file, '--overwrite', '--quiet']);
  // What sluice exports are moments in UTC.
  const psql = (work: string): Command => ({
    ...{ program: 'sh', args: ['-c', `psql -X -q -v ON_ERROR_STOP=1 -d ${place.url} ${work}`] },
    ...{ cwd: place.folder, env: { PGOPTIONS: '-c TimeZone=UTC' } },
  });
  const missing = installed('psql') ? {} : { skip: 'psql is not installed' };
  const [csv, gz] = [join(place.folder, 'exported.csv'), join(place.folder, 'exported.csv.gz')];
  return [
    {
      ...shared,
      key: 'export',
      work: 'a table of ten columns as CSV',
      checksum: () => hashOf(csv),
      contestants: [
        { name: 'sluice export', command: sluice(csv) },
        {
          name: '\\copy to',
          ...missing,
          atMost: 1 / 0.95,
          command: psql(`-c "\\copy public.events to '${csv}' with (format csv, header)"`),
        },
      ],
    },
    {
      ...shared,
      key: 'export-gz',
      work: 'the same, compressed',
      checksum: () => hashOf(gz),
      contestants: [
        { name: 'sluice export', command: sluice(gz) },
        {
          name: 'psql | gzip',
          ...missing,
          command: psql(`-c "COPY public.events TO STDOUT WITH (FORMAT csv, HEADER)" | gzip > '${gz}'`),
        },
      ],
    },
  ];
}

/** The hash of what is in a file, unpacked. */
async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  const bytes = createReadStream(path);
  for await (const piece of path.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes) hash.update(piece);
  return hash.digest('hex');
}
