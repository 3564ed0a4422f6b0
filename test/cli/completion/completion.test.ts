import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LISTED } from '../../../pipelines/listed.js';
import { offers } from '../../../src/cli/completion/offers.js';
import { commandTree } from '../../../src/cli/tree.js';
import { packageFile } from '../../../src/core/package.js';
import { tempFolder } from '../../support/files.js';

const PIPELINES = LISTED.map(({ name, summary }) => ({ value: name, description: summary }));
const offered = (...words: string[]) => offers(commandTree(), words, PIPELINES).map(({ value }) => value);

test('the first word is a command, and hidden ones are not offered', () => {
  assert.deepEqual(offered('wor'), ['worker']);
  assert.deepEqual(offered('comp'), ['completion']);
  assert.ok(offered('').includes('run'));
});

test('a pipeline is offered where one stands, and as often as it may', () => {
  assert.deepEqual(offered('run', 'lot'), ['lot-consolidation']);
  assert.deepEqual(offered('run', 'lot-consolidation', ''), []);
  assert.deepEqual(offered('worker', 'copy', 'okv'), ['okvet-import']);
});

test('flags are those of the command, and their values those that it takes', () => {
  assert.deepEqual(offered('run', 'lot-consolidation', '--rehe'), ['--rehearse']);
  assert.deepEqual(offered('list', '--rehe'), []);
  assert.deepEqual(offered('copy', 'a.csv', '--mode', 'me'), ['merge']);
  assert.deepEqual(offered('copy', 'a.csv', '--mode=me'), ['--mode=merge']);
  assert.deepEqual(offered('copy', 'a.csv', '--mode', '=', 'me'), ['merge'], 'as bash tears it');
  assert.ok(offered('copy', 'a.csv', '--mode', '=').includes('merge'));
  assert.deepEqual(offered('mappings', 'okvet', 'ex'), ['export']);
});

test('nothing is offered where a file or a value of the user’s stands', () => {
  assert.deepEqual(offered('copy', 'or'), []);
  assert.deepEqual(offered('run', 'lot-consolidation', '--source', ''), []);
  assert.deepEqual(offered('run', '--limit', '7', 'rec'), ['recipe-snapshots']);
  assert.deepEqual(offered('run', '--yes', 'rec'), ['recipe-snapshots']);
});

test('commands below a command are offered', () => {
  assert.deepEqual(offered('db', 'sta'), ['start', 'status']);
  assert.deepEqual(offered('db', 'stop', '--f'), ['--force']);
});

/** Runs a script in a shell that has `sluice` on its path; skips where the shell is missing. */
function inShell(t: TestContext, shell: string, args: readonly string[], script: string): string | undefined {
  if (spawnSync(shell, ['--version']).error !== undefined) {
    t.skip(`${shell} is not installed`);
    return undefined;
  }
  const bin = join(tempFolder(t), 'bin');
  mkdirSync(bin);
  writeFileSync(
    join(bin, 'sluice'),
    `#!/bin/sh\nexec ${process.execPath} ${packageFile('bin', 'sluice.cjs')} "$@"\n`,
  );
  chmodSync(join(bin, 'sluice'), 0o755);
  const { stdout, stderr } = spawnSync(shell, [...args, script], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
  });
  assert.equal(stderr, '');
  return stdout;
}

test('bash completes with the script, and evaluates nothing of what was typed', (t) => {
  const said = inShell(
    t,
    'bash',
    ['-c'],
    `source <(sluice completion bash)
     ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sluice; echo "\${COMPREPLY[*]}"; }
     ask sluice run lot
     ask sluice copy a.csv --mode = me
     ask sluice run '$(echo lot-consolidation)' --rehe
     ask sluice copy a`,
  );
  if (said !== undefined) assert.equal(said, 'lot-consolidation\nmerge\n--rehearse\n\n');
});

test('zsh completes with the script', (t) => {
  const said = inShell(
    t,
    'zsh',
    ['-f', '-c'],
    `compdef() { :; }
     _describe() { print -l -- "\${(@P)2}"; }
     _files() { print files; }
     source <(sluice completion zsh)
     ask() { words=("$@"); CURRENT=$#; _sluice; }
     ask sluice db sta
     ask sluice copy a`,
  );
  if (said !== undefined)
    assert.equal(
      said,
      'start:start it and keep it until `sluice db stop`\nstatus:whether it runs, where, and who uses it\nfiles\n',
    );
});

test('fish completes with the script', (t) => {
  const said = inShell(
    t,
    'fish',
    ['--no-config', '-c'],
    `sluice completion fish | source
     complete -C 'sluice run lot'
     complete -C 'sluice copy a.csv --mode me'`,
  );
  if (said !== undefined) assert.match(said, /^lot-consolidation\tOne LOT per line.*\nmerge\n$/);
});
