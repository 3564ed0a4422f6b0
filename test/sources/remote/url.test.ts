import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isIncomplete, shownUrl } from '../../../src/core/input-url.js';
import { csv } from '../../../src/sources/csv/index.js';
import { netrcEntry } from '../../../src/sources/remote/credentials.js';
import { testRun } from '../../support/run.js';
import { thrown } from '../../support/thrown.js';

test('a URL is shown without what is secret in it, and what was left out cannot be asked for', () => {
  const shown: readonly (readonly [string, string])[] = [
    ['https://user:p@host/a.csv', 'https://host/a.csv'],
    ['https://user:p@ss@host:8443/a?b=c#d', 'https://host:8443/a?b=c'],
    ['HTTPS://token@host/', 'HTTPS://host/'],
    ['https://user:pa/ss@host/a.csv', 'https://…'],
    ['https://host/a?year=2026&table=pets', 'https://host/a?year=2026&table=pets'],
    ['https://host/a?access_token=xyz&year=2026', 'https://host/a?year=2026&…'],
    ['https://b.s3.amazonaws.com/k?X-Amz-Algorithm=a&X-Amz-Signature=b', 'https://b.s3.amazonaws.com/k?…'],
    [
      'https://a.blob.core.windows.net/c/d.csv?sv=2022-11-02&sig=x%3D',
      'https://a.blob.core.windows.net/c/d.csv?sv=2022-11-02&…',
    ],
    ['https://host/a?x=0a1b2c3d4e5f60718293', 'https://host/a?…'],
    [
      'https://host/a?file=a-long-name-of-an-export-2026.csv',
      'https://host/a?file=a-long-name-of-an-export-2026.csv',
    ],
    ['s3://bucket/key', 's3://bucket/key'],
    ['folder/a@b:c.csv', 'folder/a@b:c.csv'],
  ];
  for (const [url, text] of shown) {
    assert.equal(shownUrl(url), text);
    assert.equal(shownUrl(text), text, 'twice');
    assert.equal(isIncomplete(text), text.includes('…'));
  }
});

test('what is no URL of an input is refused without a secret in the message', async () => {
  const refused = async (path: string) => thrown(testCheck(path));
  const testCheck = async (path: string) => csv(path).check?.(testRun());
  for (const [path, said] of [
    ['https://user:hidden/x@host/a.csv', /https:\/\/… is (no URL|not the whole URL)/],
    ['https://host/a?year=1&…', /not the whole URL/],
    ['ftp://host/a.csv', /ftp:\/\/ is no place/],
    ['s3://bucket', /names no object/],
    ['s3://bucket/', /names no object/],
  ] as const) {
    const error = await refused(path);
    assert.equal(error.code, 'bad_url');
    assert.match(error.message, said);
    assert.doesNotMatch(JSON.stringify(error), /hidden/);
  }
});

test('netrc is read as other programs read it', () => {
  const text = `# machine host login no password no
machine host login me password "with blank"
macdef init
machine host login macro password macro

machine two
  password p2
  login l2
default login any password every`;
  assert.deepEqual(netrcEntry(text, 'HOST'), { login: 'me', password: 'with blank' });
  assert.deepEqual(netrcEntry(text, 'two'), { login: 'l2', password: 'p2' });
  assert.deepEqual(netrcEntry(text, 'three'), { login: 'any', password: 'every' });
  assert.equal(netrcEntry('machine a login b password c', 'd'), undefined);
});
