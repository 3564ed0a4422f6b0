import assert from 'node:assert/strict';
import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Around } from '../../../src/core/input-bytes.js';
import { ContentReading } from '../../../src/run/inputs/file-content.js';
import { csv } from '../../../src/sources/csv/index.js';
import { tempFolder } from '../../support/files.js';

const around = (signal = new AbortController().signal): Around => ({ signal, share: (_key, make) => make() });

test('what a file holds is known once it is loaded, unless somebody touched it meanwhile', async (t) => {
  const folder = tempFolder(t);
  const paths = ['a', 'b', 'same', 'end', 'renamed'].map((name) => join(folder, name));
  const [a, b, same, end, renamed] = paths as [string, string, string, string, string];
  const text = 'x'.repeat(9 << 20);
  for (const path of paths) writeFileSync(path, text);
  writeFileSync(b, `${text.slice(0, 5 << 20)}y${text.slice(1 + (5 << 20))}`);
  writeFileSync(`${renamed}2`, text);
  const content = (path: string) => new ContentReading(csv(path), around()).content();
  assert.equal(await content(`${renamed}2`), undefined, 'so young it may be written to and not look it');
  await sleep(2_100);

  const known = await content(a);
  assert.equal(known?.size, 9 << 20);
  assert.deepEqual(await content(same), known);
  assert.notEqual((await content(b))?.hash, known?.hash, 'one byte in the middle');
  assert.equal(await content(join(folder, 'nothing')), undefined);
  assert.equal(await content(folder), undefined);

  // Behind a load it reads no further than that, and what is written then is no content of the file.
  let loaded = 0;
  const behind = (path: string) => new ContentReading(csv(path), around(), () => loaded);
  const [fine, longer, other] = [behind(a), behind(end), behind(renamed)];
  await sleep(100);
  appendFileSync(end, 'z');
  renameSync(`${renamed}2`, renamed);
  loaded = 9 << 20;
  assert.deepEqual(await fine.content(), known);
  assert.equal(await longer.content(), undefined);
  assert.equal(await other.content(), undefined);

  const stop = new AbortController();
  const waiting = new ContentReading(csv(a), around(stop.signal), () => 0);
  stop.abort();
  assert.equal(await waiting.content(), undefined);
});
