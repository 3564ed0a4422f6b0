import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import pg from 'pg';
import milestonesToSections from '../../../pipelines/milestones-to-sections/index.js';
import { fillPostgres } from '../../../samples/milestones-to-sections/generate.js';
import { sampleFile } from '../../../samples/milestones-to-sections/sqlite.js';
import { PgDatabase } from '../../../src/db/connect.js';
import { acquireEmbedded } from '../../../src/db/embedded/index.js';
import { runPipeline } from '../../../src/run/run.js';
import { testServerOptions } from '../../support/server.js';
import { type Question, questions, type Subjects } from './questions.js';

const HELP = `npm run bench:versions -- [--instances N] [--suppliers N] [--runs N] [--database-url URL]

The application's queries on the old tables and on the new ones that milestones-to-sections makes of them, in one
database of the benchmark's own: execution times of EXPLAIN ANALYZE in turn, medians, ratio. Exits with 1 where the new
tables are slower.
  --instances     supplier task instances (100000)
  --suppliers     suppliers (200)
  --runs          times each (21)
  --tolerance     the ratio that still passes (1.0)
  --database-url  a server to make the database on (the tests' embedded one)`;

const { values } = parseArgs({
  options: {
    instances: { type: 'string', default: '100000' },
    suppliers: { type: 'string', default: '200' },
    runs: { type: 'string', default: '21' },
    tolerance: { type: 'string', default: '1.0' },
    'database-url': { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const DATABASE = 'bench_versions';
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const say = (text: string) => process.stderr.write(`${text}\n`);

if (values.help) console.log(HELP);
else if (values['database-url'] !== undefined) await bench(values['database-url']);
else {
  const server = await acquireEmbedded(testServerOptions());
  try {
    await bench(server.url);
  } finally {
    await server.release();
  }
}

async function bench(server: string): Promise<void> {
  const url = new URL(server);
  url.pathname = `/${DATABASE}`;
  const admin = await connected(server);
  try {
    await admin.query(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`);
    await admin.query(`CREATE DATABASE ${DATABASE}`);
    const client = await connected(url.href);
    try {
      await prepare(client, url.href);
      const times = await measure(client, questions(await subjects(client)), Number(values.runs));
      show(times);
    } finally {
      await client.end();
    }
  } finally {
    await admin.query(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`);
    await admin.end();
  }
}

/** Old system, new tables, the migration without views (both versions' tables stay), statistics for both. */
async function prepare(client: pg.Client, url: string): Promise<void> {
  const options = { instances: Number(values.instances), suppliers: Number(values.suppliers), seed: 7 };
  say(`making the old system: ${options.instances} instances of ${options.suppliers} suppliers`);
  await client.query(await sampleFile('old/schema.postgres.sql'));
  await client.query(await sampleFile('new/schema.sql'));
  await fillPostgres(client, options);
  say('migrating it');
  const database = new PgDatabase({ url, described: DATABASE, from: 'the benchmark' });
  try {
    await runPipeline(milestonesToSections, { database, log: quiet, settings: { views: 'off' } });
  } finally {
    await database.close();
  }
  await client.query('VACUUM (ANALYZE)');
  // A worker that must wait for a busy machine would count for one version and not for the other.
  await client.query('SET max_parallel_workers_per_gather = 0');
}

/** The supplier, project and task with the most instances. */
async function subjects(client: pg.Client): Promise<Subjects> {
  const most = async (column: string) =>
    (
      await client.query(
        `SELECT ${column} AS id FROM v2.supplier_task_instances i JOIN v2.project_task_templates p ON p.id = i.project_task_template_id
         GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1`,
      )
    ).rows[0].id as string;
  return {
    supplier: await most('i.supplier_id'),
    project: await most('p.project_id'),
    template: await most('p.id'),
  };
}

interface Timed {
  readonly name: string;
  readonly old: number;
  readonly new: number;
  readonly rows: number;
}

/** Medians of execution times in milliseconds; the versions take turns, and turns in going first. */
async function measure(client: pg.Client, asked: readonly Question[], runs: number): Promise<Timed[]> {
  const timed: Timed[] = [];
  for (const question of asked) {
    say(question.name);
    const times = { old: [] as number[], new: [] as number[] };
    let rows = 0;
    for (let run = -1; run < runs; run++) {
      for (const version of run % 2 === 0 ? (['old', 'new'] as const) : (['new', 'old'] as const)) {
        const explained = await explain(client, question, version);
        // The first time fills the caches.
        if (run >= 0) times[version].push(explained.ms);
        rows = explained.rows;
      }
    }
    timed.push({ name: question.name, old: median(times.old), new: median(times.new), rows });
  }
  return timed;
}

async function explain(
  client: pg.Client,
  question: Question,
  version: 'old' | 'new',
): Promise<{ ms: number; rows: number }> {
  if (question.writes) await client.query('BEGIN');
  const { rows } = await client.query(`EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${question[version]}`);
  const [{ Plan: plan, 'Execution Time': ms }] = rows[0]['QUERY PLAN'];
  if (!question.writes) return { ms, rows: plan['Actual Rows'] };
  await client.query('ROLLBACK');
  // What was rolled back is not there for the next one to wade through.
  await client.query(
    version === 'old'
      ? 'VACUUM supplier_task_instances, project_milestone_tasks'
      : 'VACUUM v2.supplier_task_instances, v2.project_task_templates',
  );
  return { ms, rows: plan.Plans[0]['Actual Rows'] };
}

function median(of: readonly number[]): number {
  const sorted = [...of].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

function show(timed: readonly Timed[]): void {
  const tolerance = Number(values.tolerance);
  const table = new Table({
    head: ['query', 'rows', 'old ms', 'new ms', 'new / old', ''],
    style: { head: [], border: [] },
    colAligns: ['left', 'right', 'right', 'right', 'right', 'left'],
  });
  for (const each of timed) {
    const ratio = each.new / each.old;
    table.push([
      each.name,
      String(each.rows),
      each.old.toFixed(3),
      each.new.toFixed(3),
      `${ratio.toFixed(2)} ×`,
      ratio <= tolerance ? '' : 'SLOWER',
    ]);
  }
  console.log(table.toString());
  if (timed.some((each) => each.new / each.old > tolerance)) process.exitCode = 1;
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}
