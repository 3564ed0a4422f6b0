import { createView } from '../../../sinks/publish/create-view.js';
import { type WindowPart, windowPart } from '../../../sinks/publish/window.js';
import { rollbackErrors } from '../../core/errors/catalogue/rollback.js';
import type { Finding } from '../../core/pipeline.js';
import type { Database } from '../../core/run.js';
import type { Published } from '../../db/ledger/published.js';
import { ident, qualified } from '../../db/quote.js';
import { alongUsersPath } from '../../db/users-path.js';
import type { LiveTable } from '../given/tables.js';
import { checkContext } from '../job/contexts.js';
import type { Job } from '../job/job.js';
import { Change, type Site } from './change.js';

/** A view of the pipeline, and what is at its place now. */
export interface PlannedView {
  readonly schema: string;
  readonly name: string;
  /** The table that it is made and goes with. */
  readonly beside: LiveTable;
  /** pg_class.relkind of what has its name; null where nothing has, so that the publish makes it. */
  readonly kind: string | null;
  readonly mayCreate: boolean;
  /** The statements that make it. */
  readonly statements: readonly string[];
}

/** Looks where the pipeline's views would be. Reads only. */
async function planViews(job: Job): Promise<PlannedView[]> {
  const { live } = checkContext(job);
  const planned: PlannedView[] = [];
  for (const view of job.pipeline.views ?? []) {
    const beside = job.tables.find((table) => table.name === view.beside) as LiveTable;
    const { schema } = beside;
    const [found] = await job.options.database.query<{ kind: string | null; mayCreate: boolean }>(
      `SELECT (SELECT c.relkind::text FROM pg_class c WHERE c.relnamespace = n.oid AND c.relname = $2) AS kind,
              has_schema_privilege(n.oid, 'CREATE') AS "mayCreate"
       FROM pg_namespace n WHERE n.nspname = $1`,
      [schema, view.name],
    );
    const { kind, mayCreate } = found as { kind: string | null; mayCreate: boolean };
    planned.push({
      ...{ schema, name: view.name, beside, kind, mayCreate },
      statements: createView({ schema, name: view.name }, view.select(live), view.comment),
    });
  }
  return planned;
}

/** What stands in the way of the views: a missing right, or something else of that name, which stays. */
function viewFindings(planned: readonly PlannedView[]): Finding[] {
  return planned.flatMap(({ schema, name, kind, mayCreate, statements }): Finding[] => {
    if (kind === null && !mayCreate)
      return [
        {
          severity: 'error',
          message: `the view ${schema}.${name} cannot be made: this role may not create in the schema ${schema}`,
          next: [
            `GRANT CREATE ON SCHEMA ${ident(schema)} TO CURRENT_USER   (as its owner; put the role's name in)`,
            `or let somebody make it who may: ${statements[0]}`,
          ],
        },
      ];
    if (kind === null || kind === 'v') return [];
    return [
      {
        severity: 'warning',
        message: `${schema}.${name} is there already and is no view: it stays as it is, and the view is not made`,
      },
    ];
  });
}

/** The views that the pipeline brings along: those that are missing are made after the tables, all others stay. */
export class Views extends Change {
  readonly question = 'views';
  /** All of them, as they were looked at last. */
  planned: readonly PlannedView[] = [];

  constructor(private readonly job: Job) {
    super();
  }

  override async survey(): Promise<Finding[]> {
    this.planned = await planViews(this.job);
    return viewFindings(this.planned);
  }

  override async prepare(): Promise<void> {
    this.planned = await planViews(this.job);
  }

  override async isUnchanged(): Promise<boolean> {
    await this.prepare();
    return !this.planned.some(isMissing);
  }

  override window(parts: readonly WindowPart[]): readonly WindowPart[] {
    const made = this.planned.filter(isMissing);
    return [
      ...parts,
      ...made.map(({ schema, name, statements }) => last(schema, name, alongUsersPath(statements))),
    ];
  }

  /** What the ledger notes with the table `oid`: the names of the views that are made with it. */
  factsOf(oid: number): { readonly views?: readonly string[] } {
    const made = this.planned.filter((view) => isMissing(view) && view.beside.oid === oid);
    return made.length === 0 ? {} : { views: made.map(({ name }) => name) };
  }
}

/** Whether the publish makes it. */
export function isMissing({ kind }: PlannedView): boolean {
  return kind === null;
}

/** Takes away the views that the publish of `tables` has made, and which are still as they were made. */
export class ViewsUndo extends Change {
  readonly question = 'views';
  #parts: readonly WindowPart[] = [];

  constructor(
    private readonly site: Site,
    private readonly tables: readonly Published[],
  ) {
    super();
  }

  /** Throws refused `view_in_use`. */
  override async survey(): Promise<Finding[]> {
    this.#parts = await dropViewParts(this.site.database, this.tables);
    return [];
  }

  override async prepare(): Promise<void> {
    await this.survey();
  }

  /** Those that go, `schema.view`. */
  get names(): string[] {
    return this.#parts.map(({ table }) => table);
  }

  override window(parts: readonly WindowPart[]): readonly WindowPart[] {
    return [...parts, ...this.#parts];
  }
}

/**
 * The parts of an undo that drop the views which the publish of `tables` made, and which are still as they
 * were made: a view that was replaced since belongs to whoever did. Throws refused `view_in_use` where
 * something depends on one: it would have to go along.
 */
async function dropViewParts(database: Database, tables: readonly Published[]): Promise<WindowPart[]> {
  const parts: WindowPart[] = [];
  for (const { table_schema: schema, facts } of tables) {
    for (const name of (facts.views ?? []) as readonly string[]) {
      // The rule holds a view's definition; CREATE OR REPLACE VIEW writes it again, in its own transaction.
      const [found] = await database.query<{ users: string[] }>(
        `SELECT coalesce((SELECT json_agg(DISTINCT pg_describe_object('pg_class'::regclass, o.ev_class, 0))
                  FROM pg_depend d JOIN pg_rewrite o ON o.oid = d.objid
                  WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
                    AND d.refobjid = c.oid AND o.ev_class <> c.oid), '[]') AS users
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_rewrite w ON w.ev_class = c.oid
         WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'v'
           AND w.xmin::text = ($3::numeric % 4294967296)::text`,
        [schema, name, String(facts.xid ?? '0')],
      );
      if (found === undefined) continue;
      if (found.users.length > 0)
        throw rollbackErrors.view_in_use({ view: `${schema}.${name}` }, { details: found.users });
      parts.push(last(schema, name, [`DROP VIEW ${qualified(schema, name)}`]));
    }
  }
  return parts;
}

/** After all else, when the tables have their names. */
function last(schema: string, name: string, statements: readonly string[]): WindowPart {
  return windowPart(`${schema}.${name}`, { late: statements });
}
