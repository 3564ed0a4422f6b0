import assert from 'node:assert/strict';
import { test } from 'node:test';
import { again, command, type Next, Suggestion } from '../../src/core/next.js';
import { stepsFor } from '../../src/program/steps.js';
import { rerun } from '../../src/run/given/next-command.js';

/** A batch that a program has begun. */
const begun = { id: '12', pipeline_from: 'orders', manifest: null, settings: {}, options: {} };

const SAID: readonly (readonly [Next, string | undefined])[] = [
  ['grant it', 'grant it'],
  [again(), 'the same call again'],
  [again({ flags: { maxRejects: '3' } }, { lead: 'or' }), 'or: the same call with { maxRejects: 3 }'],
  [again({ flags: { maxRejects: '0.5%' } }), 'the same call with { maxRejects: "0.5%" }'],
  [again({ flags: { maxShrink: '60%' } }), 'the same call with { maxShrink: 60 }'],
  [again({ flags: { allowEmpty: true } }), 'the same call with { allowEmpty: true }'],
  [again({ drop: ['dryRun', 'yes'] }), 'run with the same options'],
  [again({ flags: { rehearse: true } }), 'rehearse with the same options'],
  [again({ drop: ['limit'] }), 'the same call without limit'],
  [again({ flags: { triggers: false } }), 'the same call with { noTriggers: true }'],
  [again({ flags: { input: ['a=b.csv'] } }), 'the same call with { inputs: { "a": "b.csv" } }'],
  [again({ flags: { set: ['year=2025'] } }), 'the same call with { settings: { "year": "2025" } }'],
  // No option of a program's: left out, or said otherwise.
  [again({ flags: { map: 'x=y' } }), undefined],
  [again({ flags: { map: 'x=y' } }, { otherwise: 'name the column' }), 'name the column'],
  [command('check', ['orders'], { rows: false }), 'checkPipeline(pipeline, { rows: false, … })'],
  [again({ name: 'check', drop: ['dryRun'] }), 'checkPipeline with the same options'],
  [again({ drop: ['threads'] }), 'the same call without threads'],
  [command('rollback', ['3']), 'rollback("3", { … })'],
  [command('swap', ['3'], { pipeline: './p.ts' }), 'swap(pipeline, "3", { … })'],
  [command('rejects', ['3'], {}, { to: 'r.csv' }), 'npx sluice rejects 3 > r.csv'],
  [rerun(begun, { flags: { resume: '12' } }), 'run(pipeline, { resume: "12", … })'],
  [new Suggestion({ kind: 'again', change: { args: ['other'] } }), undefined],
];

for (const [next, said] of SAID)
  test(`a program is told ${JSON.stringify(String(next))} as ${said ?? 'nothing'}`, () => {
    assert.deepEqual(stepsFor(next), said === undefined ? [] : [said]);
  });
