import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failed, interrupted, refused } from '../../src/core/errors/author.js';
import { isOutOfReach } from '../../src/db/connection-error.js';
import { isConnectionLoss, sqlstateOf } from '../../src/db/server-error.js';
import { testDatabase } from '../support/database.js';
import { found } from '../support/sources.js';

const fromServer = (code: string) => Object.assign(new Error('said'), { code, severity: 'FATAL' });
const fromSocket = (code: string, syscall = 'write') => Object.assign(new Error('said'), { code, syscall });

test('only what the server has sent has a SQLSTATE: the names of errors of sockets may look like one', async (t) => {
  const database = await testDatabase(t);
  const error: unknown = await database.query('SELECT 1/0').catch((caught: unknown) => caught);
  assert.equal(sqlstateOf(error), '22012');
  assert.equal(sqlstateOf(fromSocket('EPIPE')), undefined);
  assert.equal(sqlstateOf(failed('no_connection', 'away', { sqlstate: '57P03' })), undefined);
  assert.equal(sqlstateOf(undefined), undefined);
});

test('a session is lost by a farewell of the server’s, or where its socket breaks', async (t) => {
  const database = await testDatabase(t);
  const [session, other] = [await database.connect(), await database.connect()];
  const { pid } = (await session.query('SELECT pg_backend_pid() AS pid')).rows[0];
  const asked = session.query('SELECT pg_sleep(30)').catch((caught: unknown) => caught);
  await other.query('SELECT pg_terminate_backend($1)', [pid]);
  assert.ok(isConnectionLoss(await asked));
  assert.ok(isConnectionLoss(await session.query('SELECT 1').catch((caught: unknown) => caught)));
  for (const code of ['08006', '57P01', '57P04', '25P03'])
    assert.ok(isConnectionLoss(fromServer(code)), code);
  for (const said of ['Query read timeout', 'timeout exceeded when trying to connect'])
    assert.ok(isConnectionLoss(new Error(said)), said);
  for (const code of ['EPIPE', 'ECONNRESET']) assert.ok(isConnectionLoss(fromSocket(code)), code);
  assert.ok(!isConnectionLoss(fromServer('57014')), 'a statement was cancelled, and the session is there');
  assert.ok(!isConnectionLoss(fromSocket('ENOENT', 'open')), 'a file');
});

test('what a SQLSTATE is compared with was read by what knows one', () => {
  assert.deepEqual(found(/\bcode\b[^']{0,20}'(?=[0-9A-Z]{5}')[0-9A-Z]{0,4}\d/), []);
});

test('the database is out of reach where a session is lost or cannot be had', () => {
  for (const error of [
    failed('no_connection', 'away'),
    failed('connection_lost', 'gone'),
    fromServer('57P01'),
  ])
    assert.ok(isOutOfReach(error), error.message);
  for (const error of [
    interrupted(),
    refused('check_refused', 'no'),
    fromServer('42P01'),
    new Error('a bug'),
  ])
    assert.ok(!isOutOfReach(error), error.message);
});
