import { pipelineErrors } from './errors/catalogue/pipelines.js';
import type { Next } from './next.js';
import { plural } from './plural.js';
import type { DateUnit } from './types.js';

/** A cell of an assessment: text as the old system writes it, or null. */
export type Figure = string | null;
export type FigureRow = Readonly<Record<string, Figure>>;

/** The system that a pipeline reads from, an SQLite file or the PostgreSQL database, as assessments ask it. */
export interface OldSystem {
  readonly kind: 'sqlite' | 'postgres';
  /** A file's path, or host, port and database. */
  readonly name: string;
  /** The rows of one SELECT in the system's own dialect. Every query of an assessment sees the same state. */
  query(sql: string): Promise<FigureRow[]>;
  /** `table` or `schema.table`, quoted for SQL. Both dialects quote in the same way. */
  table(name: string): string;
  /** A column, quoted for SQL. */
  column(name: string): string;
  /**
   * SQL that can be compared as a moment, of a column of `table`, which the query calls `as` where that is given; null
   * where a value is none. A text column of PostgreSQL is read as ISO 8601 has dates. Of an SQLite file, how the column stores dates is told by all of its values, as where it is
   * read; throws refused `unclear_dates` where they do not tell. Not asked where `unit` says it, or an input that reads
   * the table.
   */
  moment(table: string, column: string, as?: string, unit?: DateUnit): Promise<string>;
  /**
   * The operator by which values of a column are told apart, or put in order, as SQL writes it: of PostgreSQL the type's
   * own with its schema, whatever else is on the search_path. `of`: the values themselves, or what `moment` makes of them.
   */
  operator(table: string, column: string, name: '=' | '<', of?: 'moment'): Promise<string>;
}

/** Names that both dialects have, so spelled that nothing on a search_path can stand in for the server's own. */
const SPELLED = {
  sqlite: { count: 'count', text: 'text', equals: '=' },
  postgres: { count: 'pg_catalog.count', text: 'pg_catalog.text', equals: 'OPERATOR(pg_catalog.=)' },
} as const;

/** How the system's dialect has `count`, `text` and, of texts, `=`. */
export function spelled({ kind }: Pick<OldSystem, 'kind'>) {
  return SPELLED[kind];
}

/** SQL that both dialects understand, or one text for each. */
export type Dialects = string | { readonly sqlite: string; readonly postgres: string };

/** How grave offenders are: errors fail `check`, warnings are shown and go on. */
export type Severity = 'error' | 'warning';

/** What a question of data quality has found. */
export interface Quality {
  readonly offenders: number;
  /** Rows looked at. */
  readonly of: number;
  /** A few offenders, a line each. */
  readonly examples: readonly string[];
}

/** Figures that document what is there: a table, and which of its columns a bar chart is made of. */
export interface Figures {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Figure[])[];
  readonly chart?: { readonly label: string; readonly value: string };
}

/** A question of data quality; see orphans, required, allowed, inOrder, rule. */
export interface QualityQuestion {
  readonly kind: 'orphans' | 'required' | 'allowed' | 'dates' | 'rule';
  readonly name: string;
  readonly summary: string;
  readonly severity: Severity;
  readonly next?: Next;
  ask(system: OldSystem): Promise<Quality>;
}

/** A table of figures; see figures. */
export interface FiguresQuestion {
  readonly kind: 'figures';
  readonly name: string;
  readonly summary: string;
  ask(system: OldSystem): Promise<Figures>;
}

/** A question that `sluice assess` asks of the old system. Plain data but for `ask`. */
export type Assessment = QualityQuestion | FiguresQuestion;

/** What a pipeline has assessed of the old system. */
export interface AssessmentDeclaration {
  /** Further tables of the old system whose rows are counted. An SQLite file's are counted anyway, all of them. */
  readonly tables?: readonly string[];
  readonly questions: readonly Assessment[];
}

/** What a pipeline has backed up before anything. */
export interface BackupDeclaration {
  /**
   * The tables of the old system that are written as CSV. Left out: all of an SQLite file. Of PostgreSQL those that a
   * query joins; the tables that inputs, assessment, guards and targets name are written whether they are named here or not.
   */
  readonly tables?: readonly string[];
  /** The same, of tables that a system may lack. */
  readonly whereThere?: readonly string[];
  /** True: `run` and `load` make the backup themselves, before the load. Default: only `sluice backup` does. */
  readonly withRun?: boolean;
}

interface Grave {
  /** Default: error. */
  readonly severity?: Severity;
  /** What to do about offenders. */
  readonly next?: Next;
}

/** Offenders that an assessment shows. */
const EXAMPLES = 5;

/** Rows whose `column` (several where the key has several) points at no row of `references`. NULL points nowhere and is none. */
export function orphans(
  of: {
    readonly table: string;
    readonly column: string | readonly string[];
    readonly references: string;
    /** Default: id. */
    readonly key?: string | readonly string[];
  } & Grave,
): QualityQuestion {
  const columns = [of.column].flat();
  const keys = [of.key ?? 'id'].flat();
  if (columns.length !== keys.length)
    throw pipelineErrors.bad_assessment({ table: of.table, columns: columns.length, keys: keys.length });
  return {
    kind: 'orphans',
    name: `${of.table}.${columns.join(', ')} → ${of.references}`,
    summary: `every ${columns.join(', ')} of ${of.table} is there in ${of.references}`,
    ...grave(of),
    ask: async (system) => {
      const on = await Promise.all(
        columns.map(async (column, i) => {
          const key = keys[i] as string;
          const equals = await system.operator(of.references, key, '=');
          return `p.${system.column(key)} ${equals} c.${system.column(column)}`;
        }),
      );
      const points = columns.map((column) => `c.${system.column(column)} IS NOT NULL`).join(' AND ');
      return count(
        system,
        `FROM ${system.table(of.table)} c`,
        `${points} AND NOT EXISTS (SELECT 1 FROM ${system.table(of.references)} p WHERE ${on.join(' AND ')})`,
        columns.map((column) => `c.${system.column(column)}`),
        (value) => `${columns.join(', ')} ${value}`,
      );
    },
  };
}

/** Columns by whose values offenders are named: the table's key, say. Left out: they are only counted. */
interface Shown {
  readonly show?: readonly string[];
}

/** Rows in which one of `columns` is NULL or an empty text. One question for each column. */
export function required(
  of: { readonly table: string; readonly columns: readonly string[] } & Shown & Grave,
): QualityQuestion[] {
  return of.columns.map((column) => ({
    kind: 'required',
    name: `${of.table}.${column} is there`,
    summary: `no row of ${of.table} lacks its ${column}`,
    ...grave(of),
    ask: (system) => {
      const quoted = `c.${system.column(column)}`;
      const { text, equals } = spelled(system);
      return count(
        system,
        `FROM ${system.table(of.table)} c`,
        `(${quoted} IS NULL OR trim(CAST(${quoted} AS ${text})) ${equals} '')`,
        ...shown(system, of),
      );
    },
  }));
}

/** Rows whose `column` holds none of `values`. NULL is none of them, unless `nullable`. */
export function allowed(
  of: {
    readonly table: string;
    readonly column: string;
    readonly values: readonly string[];
    readonly nullable?: boolean;
  } & Grave,
): QualityQuestion {
  return {
    kind: 'allowed',
    name: `${of.table}.${of.column} is one of ${plural(of.values.length, 'value')}`,
    summary: `${of.column} of ${of.table} is ${of.values.join(', ')}`,
    ...grave(of),
    ask: (system) => {
      const quoted = `c.${system.column(of.column)}`;
      const { text, equals } = spelled(system);
      const held = `CAST(${quoted} AS ${text})`;
      const some = of.values
        .map((value) => `${held} ${equals} '${value.replaceAll("'", "''")}'`)
        .join(' OR ');
      const absent = of.nullable === true ? '' : `${quoted} IS NULL OR `;
      return count(
        system,
        `FROM ${system.table(of.table)} c`,
        `(${absent}NOT (${some}))`,
        [quoted],
        (value) => `${of.column} ${value}`,
      );
    },
  };
}

/**
 * Rows whose moment `later` lies before their moment `earlier`. `dates`: how both are stored in an SQLite file, where
 * that is not to be told by their values.
 */
export function inOrder(
  of: {
    readonly table: string;
    readonly earlier: string;
    readonly later: string;
    readonly dates?: DateUnit;
  } & Shown &
    Grave,
): QualityQuestion {
  return {
    kind: 'dates',
    name: `${of.table}: ${of.earlier} before ${of.later}`,
    summary: `${of.later} of ${of.table} is not before ${of.earlier}`,
    ...grave(of),
    ask: async (system) => {
      const earlier = await system.moment(of.table, of.earlier, 'c', of.dates);
      const later = await system.moment(of.table, of.later, 'c', of.dates);
      const before = await system.operator(of.table, of.later, '<', 'moment');
      return count(
        system,
        `FROM ${system.table(of.table)} c`,
        `${later} ${before} ${earlier}`,
        ...shown(system, of),
      );
    },
  };
}

/**
 * Rows that break a rule of the pipeline's own: `from` and `where` of a query, the row being called by the alias that
 * `from` gives it. `show`: the columns, SQL, by whose values offenders are told.
 */
export function rule(
  name: string,
  summary: string,
  of: {
    readonly from: Dialects;
    readonly where: Dialects;
    readonly show?: readonly string[];
  } & Grave,
): QualityQuestion {
  return {
    kind: 'rule',
    name,
    summary,
    ...grave(of),
    ask: (system) =>
      count(
        system,
        `FROM ${dialect(of.from, system)}`,
        `(${dialect(of.where, system)})`,
        of.show ?? [],
        (value) => value,
      ),
  };
}

/**
 * A table of figures: what relations and patterns there are. At most a thousand rows are kept. `query` is a function
 * where it has to ask the system first (for `moment`).
 */
export function figures(
  name: string,
  summary: string,
  of: {
    readonly query: Dialects | ((system: OldSystem) => Promise<string>);
    readonly chart?: Figures['chart'];
  },
): FiguresQuestion {
  return {
    kind: 'figures',
    name,
    summary,
    ask: async (system) => {
      const query = typeof of.query === 'function' ? await of.query(system) : dialect(of.query, system);
      const rows = await system.query(`SELECT * FROM (${query}\n) AS figures LIMIT 1000`);
      const columns = Object.keys(rows[0] ?? {});
      return {
        columns,
        rows: rows.map((row) => columns.map((column) => row[column] ?? null)),
        ...(of.chart === undefined ? {} : { chart: of.chart }),
      };
    },
  };
}

function dialect(sql: Dialects, system: OldSystem): string {
  return typeof sql === 'string' ? sql : sql[system.kind];
}

function grave({ severity, next }: Grave): Pick<QualityQuestion, 'severity' | 'next'> {
  return { severity: severity ?? 'error', ...(next === undefined ? {} : { next }) };
}

/** What `count` selects of offenders, and how it tells them by it. */
const shown = (system: OldSystem, { show = [] }: Shown) =>
  [
    show.map((column) => `c.${system.column(column)}`),
    (value: string) => `${show.join(', ')} ${value}`,
  ] as const;

/** Counts offenders and all rows, and groups the offenders by what `show` selects, the most frequent first. */
async function count(
  system: OldSystem,
  from: string,
  offends: string,
  show: readonly string[],
  describe: (value: string) => string = () => '',
): Promise<Quality> {
  const { count: counted } = spelled(system);
  const [counts] = await system.query(
    `SELECT ${counted}(*) AS "of", ${counted}(CASE WHEN ${offends} THEN 1 END) AS offenders ${from}`,
  );
  const offenders = Number(counts?.offenders ?? 0);
  const of = Number(counts?.of ?? 0);
  if (offenders === 0) return { offenders, of, examples: [] };
  if (show.length === 0) return { offenders, of, examples: [] };
  const names = show.map((_, i) => `v${i}`);
  const rows = await system.query(
    `SELECT ${show.map((column, i) => `${column} AS ${names[i]}`).join(', ')}, ${counted}(*) AS n ${from} WHERE ${offends} GROUP BY ${names.map((_, i) => i + 1).join(', ')} ORDER BY n DESC, ${names.map((_, i) => i + 1).join(', ')} LIMIT ${EXAMPLES + 1}`,
  );
  const examples = rows
    .slice(0, EXAMPLES)
    .map(
      (row) =>
        `${describe(names.map((name) => row[name] ?? 'NULL').join(', '))}: ${row.n} ${row.n === '1' ? 'row' : 'rows'}`,
    );
  if (rows.length > EXAMPLES) examples.push('…');
  return { offenders, of, examples };
}
