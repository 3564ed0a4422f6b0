import { join } from 'node:path';
import type { Command } from 'commander';
import { commandErrors } from '../../core/errors/catalogue/command-line.js';
import { EXIT } from '../../core/errors/sluice-error.js';
import { command } from '../../core/next.js';
import { EMBEDDED_SCHEME, EMBEDDED_URL } from '../../db/embedded/names.js';
import type { RejectLimit } from '../../run/given/reject-limit.js';
import type { RunFlags } from '../given/flags.js';
import { sayNext, setCurrent } from '../show/next.js';

/** The demos: for each a module that makes the old system and shows what is in it. */
const DEMOS: Readonly<Record<string, () => Promise<{ demo: Demo }>>> = {
  'lot-consolidation': () => import('../../../samples/lot-consolidation/demo.js'),
  'recipe-snapshots': () => import('../../../samples/recipe-snapshots/demo.js'),
  'tasks-to-operations': () => import('../../../samples/tasks-to-operations/demo.js'),
  'okvet-import': () => import('../../../samples/okvet-import/demo.js'),
  'milestones-to-sections': () => import('../../../samples/milestones-to-sections/demo.js'),
};

/** A sample that can be run end to end. */
interface Demo {
  /** What stands in the old system, in a sentence. */
  readonly about: string;
  /** Makes the old system, in a database of its own that is empty. */
  prepare(query: (sql: string) => Promise<unknown>): Promise<void>;
  /** What the run is given besides: files, and how many of their rows may be rejected. */
  readonly flags?: Pick<RunFlags, 'input' | 'encoding'> & { readonly maxRejects: string };
  /** Where the old system is a file: its path (`--source`) once it is prepared, the settings, and what it shows. */
  readonly file?: {
    readonly path: string;
    readonly settings: readonly string[];
    before(): Promise<
      readonly { readonly title: string; readonly rows: readonly Record<string, unknown>[] }[]
    >;
  };
  /**
   * Queries that show the tables before and after; where it says when, only then; only after, where the old
   * system is a file.
   */
  readonly look: readonly {
    readonly title: string;
    readonly sql: string;
    readonly when?: 'before' | 'after';
  }[];
}

/** `sluice demo P` */
export function declareDemo(root: Command): void {
  root
    .command('demo')
    .argument('<pipeline>', `one of: ${Object.keys(DEMOS).join(', ')}`)
    .description(
      'make a sample of the old system, in a database of its own on the embedded PostgreSQL, and run the pipeline on it',
    )
    .option('--quiet', 'only warnings and errors on stderr')
    .action(async (name: string) => {
      const load = Object.hasOwn(DEMOS, name) ? DEMOS[name] : undefined;
      if (load === undefined) {
        const { nearest } = await import('../../core/errors/nearest.js');
        throw commandErrors.no_such_demo({
          name,
          meant: nearest(name, Object.keys(DEMOS)),
          names: Object.keys(DEMOS),
        });
      }
      const { demo } = await load();
      const { findPipeline } = await import('../given/pipelines.js');
      const { withFresh } = await import('../given/session.js');
      const { runWith } = await import('./run.js');
      const { usersDatabase } = await import('../../db/users-database.js');
      const { parseRejectLimit } = await import('../../run/given/reject-limit.js');
      const { table } = await import('../show/table.js');
      const { print, say, styled } = await import('../show/terminal.js');
      const { pipeline, from } = await findPipeline(name);
      const databaseName = `sluice_demo_${name.replaceAll('-', '_')}`;
      const databaseUrl = `${EMBEDDED_SCHEME}${databaseName}`;
      process.exitCode = await withFresh(databaseName, async (session) => {
        // A sample's own statements name its tables as anybody would.
        const database = usersDatabase(session.database);
        say(demo.about);
        await demo.prepare((sql) => database.query(sql));
        const show = (title: string, rows: readonly Record<string, unknown>[]) => {
          print('');
          print(styled('bold', title));
          if (rows[0] === undefined) return;
          const cells = rows.map((row) => Object.values(row).map((value) => String(value ?? '')));
          print(...table(Object.keys(rows[0]), cells, { indent: '  ' }));
        };
        const look = async (when: 'before' | 'after') => {
          for (const { title, sql, when: only = when } of demo.look)
            if (only === when) {
              const rows = await database.query(sql);
              if (rows.length > 0) show(`${title}, ${when}`, rows);
            }
          print('');
        };
        const { file } = demo;
        if (file === undefined) await look('before');
        else {
          for (const { title, rows } of await file.before()) show(`${title}, before`, rows);
          print('');
        }
        const given = {
          databaseUrl,
          input: [],
          set: file?.settings ?? [],
          ...(file === undefined ? {} : { source: file.path }),
          ...demo.flags,
        };
        // What is suggested is about this database, and the run as it would be typed.
        setCurrent({ given: { name: 'run', args: [name], flags: given }, root });
        const { maxRejects, ...flags } = given;
        const code = await runWith(session, pipeline, from, {
          ...flags,
          ...(maxRejects === undefined ? {} : { maxRejects: parseRejectLimit(maxRejects) as RejectLimit }),
          swap: true,
          execute: true,
          yes: true,
          // Batches of other databases may have the same numbers.
          logFile: join('.sluice', 'demo', `${name}.log`),
          guard: 'journal',
        });
        // Rejected rows are a part of the demo where it allows them.
        const done = code === EXIT.done || (code === EXIT.publishedWithRejects && demo.flags !== undefined);
        if (done) await look('after');
        sayNext(
          `The embedded server keeps these tables, in the database ${databaseName}, until the next such demo. Look inside (from a clone: npx sluice …):`,
          [command('db start'), `psql "$(${EMBEDDED_URL} ${databaseName})"`],
        );
        return done ? EXIT.done : code;
      });
    });
}
