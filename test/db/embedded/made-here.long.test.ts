import assert from 'node:assert/strict';
import { cpSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { acquireEmbedded, stopEmbedded } from '../../../src/db/embedded/index.js';
import { assertMadeHere } from '../../../src/db/embedded/made-here.js';
import { tempFolder } from '../../support/files.js';
import { isSluice } from '../../support/said.js';

test('a folder of programs and data is known where it was made, also under another name, and a copy of it is not', (t) => {
  const folder = tempFolder(t);
  const made = join(folder, 'made');
  assertMadeHere(made);
  mkdirSync(join(made, 'postgres', '18', 'data'), { recursive: true });
  assertMadeHere(made);
  const moved = join(folder, 'moved');
  renameSync(made, moved);
  assertMadeHere(moved);
  const copy = join(folder, 'copy');
  cpSync(moved, copy, { recursive: true, preserveTimestamps: true });
  assert.throws(
    () => assertMadeHere(copy),
    isSluice('embedded_not_ours', /was not made here by this user/, /db start --trust/),
  );
  assertMadeHere(copy, true);
  assertMadeHere(copy);
});

test('what came out of an archive is neither started nor stopped', async (t) => {
  const directory = join(tempFolder(t), '.sluice');
  const data = join(directory, 'postgres', '18', 'data');
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, 'PG_VERSION'), '18\n');
  // To be stopped means to be sent a signal: anybody's process can be named here.
  writeFileSync(join(data, 'postmaster.pid'), `${process.pid}\n`);
  await assert.rejects(acquireEmbedded({ directory, durable: false }), isSluice('embedded_not_ours'));
  await assert.rejects(stopEmbedded({ directory, force: true }), isSluice('embedded_not_ours'));
});
