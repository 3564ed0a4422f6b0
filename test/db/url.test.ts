import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutPassword } from '../../src/db/url.js';

test('a password in a URL is masked, everything else stays', () => {
  assert.equal(
    withoutPassword('postgres://me:s%40cret@db.example:5432/shop?sslmode=require'),
    'postgres://me:***@db.example:5432/shop?sslmode=require',
  );
});

test('a URL without a password stays as it is', () => {
  assert.equal(withoutPassword('postgres://me@db.example/shop'), 'postgres://me@db.example/shop');
});

test('a password given as a parameter is masked too', () => {
  assert.equal(withoutPassword('postgres://db/shop?password=secret'), 'postgres://db/shop?password=***');
});

test('text that is no URL does not leak its password either', () => {
  assert.equal(withoutPassword("host=db password='a secret' user=me"), 'host=db password=*** user=me');
  assert.equal(withoutPassword('postgres://me:secret@[broken/shop'), 'postgres://***@[broken/shop');
});
