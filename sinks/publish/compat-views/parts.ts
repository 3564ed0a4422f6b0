import type { CompatibilityView } from '../../../src/core/compatibility.js';
import { closeSchemas } from '../../../src/db/close.js';
import { ident, literal, qualified } from '../../../src/db/quote.js';
import { createView } from '../create-view.js';
import { anonymousBlock, type WindowPart } from '../window.js';
import type { OldName } from './survey.js';

/** The schema of a batch's own that keeps the old tables, and the functions behind its views. */
export function compatibilitySchema(batch: string): string {
  return `sluice_compat_${batch}`;
}

/** A view that a batch has made, as the ledger has it. */
export interface MadeView {
  readonly schema: string;
  readonly name: string;
  readonly oid: number;
  /** The OID of the table that is kept aside under the view's name. */
  readonly kept: number | null;
  /** Whether a function stands after its writes. */
  readonly writes: boolean;
}

const NOTE_USE = 'note_use';

/** The name of the function behind a view's writes. */
const writer = (name: string) => `${name}_write`;

/** Whether PostgreSQL needs telling what writes through the view do. */
export function hasWriter(view: CompatibilityView): boolean {
  return view.insert !== undefined || view.update !== undefined || view.remove !== undefined;
}

/**
 * The views' share of the publishing transaction, one part for each: the old tables move out, the views take their
 * names once the new tables are there. Put after the tables' own parts. `described` says on the view what it is. Pure.
 */
export function viewParts(names: readonly OldName[], batch: string, described: string): WindowPart[] {
  const schema = compatibilitySchema(batch);
  return names.map(({ view, schema: home, table }, at) => {
    const name = qualified(home, view.name);
    const first = at === 0;
    return {
      table: `${home}.${view.name}`,
      early: [],
      dependents: [],
      locks:
        table === undefined ? [] : [{ schema: home, table: view.name, mode: 'ACCESS EXCLUSIVE' as const }],
      rechecks: table === undefined ? [] : [sameRelation(name, table.oid)],
      out: [
        ...(first ? [`CREATE SCHEMA ${ident(schema)}`, closeSchemas([schema], ['schema'])] : []),
        ...(table === undefined ? [] : [`ALTER TABLE ${name} SET SCHEMA ${ident(schema)}`]),
      ],
      in: [],
      after: [
        ...(first ? noteUse(schema) : []),
        ...createView({ schema: home, name: view.name }, view.select, described),
        ...Object.entries(view.defaults ?? {}).map(
          ([column, sql]) => `ALTER VIEW ${name} ALTER COLUMN ${ident(column)} SET DEFAULT ${sql}`,
        ),
        ...writing(view, name, schema, home),
        ...granting(name, table),
        closeSchemas([schema], ['functions']),
      ],
      late: [],
    };
  });
}

/**
 * Takes the views away and puts the old tables back under their names. After the parts of the tables that are rolled
 * back with them, if any. Pure.
 */
export function undoViewParts(views: readonly MadeView[], batch: string): WindowPart[] {
  const schema = compatibilitySchema(batch);
  return views.map((view, at) => {
    const name = qualified(view.schema, view.name);
    const kept = qualified(schema, view.name);
    return {
      table: `${view.schema}.${view.name}`,
      early: [],
      dependents: [],
      locks: view.kept === null ? [] : [{ schema, table: view.name, mode: 'ACCESS EXCLUSIVE' as const }],
      rechecks: [
        sameRelation(name, view.oid),
        ...(view.kept === null ? [] : [sameRelation(kept, view.kept)]),
      ],
      out: [],
      in: [],
      after: [
        `DROP VIEW ${name}`,
        ...(view.writes ? [`DROP FUNCTION ${qualified(schema, writer(view.name))}()`] : []),
        ...(view.kept === null ? [] : [`ALTER TABLE ${kept} SET SCHEMA ${ident(view.schema)}`]),
        ...(at === views.length - 1 ? [`DROP FUNCTION ${qualified(schema, NOTE_USE)}()`] : []),
      ],
      late: [],
    };
  });
}

function sameRelation(name: string, oid: number): string {
  return anonymousBlock(
    `IF pg_catalog.to_regclass(${literal(name)})::oid IS DISTINCT FROM ${oid}::oid THEN RAISE EXCEPTION USING ERRCODE = 'SL001', MESSAGE = ${literal(`${name} is not what it was when it was looked at`)}; END IF;`,
  );
}

/** INSTEAD OF triggers run as whoever writes, a view as its owner: SECURITY DEFINER makes them alike. */
function writing(view: CompatibilityView, name: string, schema: string, home: string): string[] {
  if (!hasWriter(view)) return [];
  const ways = [
    ['INSERT', view.insert, 'NEW'],
    ['UPDATE', view.update, 'NEW'],
    ['DELETE', view.remove, 'OLD'],
  ] as const;
  const told = ways.filter(([, statements]) => statements !== undefined);
  const events = told.map(([event]) => event).join(' OR ');
  const body = told.map(
    ([event, statements, row]) => `IF TG_OP = '${event}' THEN\n  ${statements}\n  RETURN ${row};\nEND IF;`,
  );
  const calls = `${qualified(schema, writer(view.name))}()`;
  return [
    procedure(calls, `${body.join('\n')}\nRETURN NULL;`),
    `CREATE TRIGGER sluice_write INSTEAD OF ${events} ON ${name} FOR EACH ROW EXECUTE FUNCTION ${calls}`,
    `CREATE TRIGGER sluice_use AFTER ${events} ON ${name} FOR EACH STATEMENT EXECUTE FUNCTION ${qualified(schema, NOTE_USE)}(${literal(home)}, ${literal(view.name)})`,
  ];
}

/**
 * Who writes through the views, and when last, to the minute: one row for each view, application and role. Nobody waits
 * for anybody: who finds the row being written by another leaves it.
 */
function noteUse(schema: string): string[] {
  const row = `view_schema = TG_ARGV[0] AND view_name = TG_ARGV[1] AND application = current_setting('application_name') AND role = session_user`;
  return [
    procedure(
      `${qualified(schema, NOTE_USE)}()`,
      `IF NOT EXISTS (SELECT FROM sluice.migration_view_use WHERE ${row} AND last_write > clock_timestamp() - interval '1 minute')
   AND pg_try_advisory_xact_lock(hashtextextended('sluice use ' || TG_ARGV[0] || '.' || TG_ARGV[1], 0)) THEN
  INSERT INTO sluice.migration_view_use (view_schema, view_name, application, role)
  VALUES (TG_ARGV[0], TG_ARGV[1], current_setting('application_name'), session_user)
  ON CONFLICT (view_schema, view_name, application, role) DO UPDATE SET last_write = clock_timestamp();
END IF;
RETURN NULL;`,
    ),
  ];
}

function procedure(signature: string, body: string): string {
  let tag = 'sluice';
  while (body.includes(`$${tag}$`)) tag += '_';
  return `CREATE FUNCTION ${signature} RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $${tag}$\nBEGIN\n${body}\nEND $${tag}$`;
}

/** The old table's grants, and its owner's own rights, on the view in its place. */
function granting(name: string, table: OldName['table']): string[] {
  if (table === undefined) return [];
  return [
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ${name} TO ${ident(table.owner)}`,
    ...table.grants.map(({ grantee, privilege, grantable, column }) => {
      const on = column === null ? privilege : `${privilege} (${ident(column)})`;
      return `GRANT ${on} ON ${name} TO ${grantee === null ? 'PUBLIC' : ident(grantee)}${grantable ? ' WITH GRANT OPTION' : ''}`;
    }),
  ];
}
