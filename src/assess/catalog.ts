import { type FigureRow, type OldSystem, orphans, type QualityQuestion } from '../core/assessment.js';
import { isError } from '../core/errors/is-error.js';
import { plural } from '../core/plural.js';
import { ident, literal } from '../db/quote.js';
import { catalogOf } from '../sources/old-system.js';
import { numberIn } from '../sources/sqlite/number-in.js';
import { typeOf } from '../sources/sqlite/values.js';

/**
 * Questions that the catalog itself raises of these tables, all of them warnings. SQLite enforces foreign keys only for
 * applications that ask it to, and stores any value in any column; PostgreSQL has constraints that were added NOT VALID.
 */
export function catalogQuestions(system: OldSystem, tables: readonly string[]): Promise<QualityQuestion[]> {
  return system.kind === 'sqlite' ? sqliteQuestions(system, tables) : postgresQuestions(system, tables);
}

async function sqliteQuestions(system: OldSystem, tables: readonly string[]): Promise<QualityQuestion[]> {
  const questions: QualityQuestion[] = [];
  for (const table of tables) {
    const parts = await system.query(
      `SELECT id, seq, "table" AS "references", "from" AS "column", coalesce("to", (SELECT name FROM pragma_table_info("table") WHERE pk = seq + 1)) AS key
       FROM pragma_foreign_key_list(${literal(table)}) ORDER BY id, seq`,
    );
    for (const id of new Set(parts.map((part) => part.id))) {
      const key = parts.filter((part) => part.id === id);
      const [first] = key;
      if (first?.references == null || key.some((part) => part.column === null || part.key === null))
        continue;
      questions.push(
        orphans({
          table,
          column: key.map((part) => part.column as string),
          references: first.references,
          key: key.map((part) => part.key as string),
          severity: 'warning',
        }),
      );
    }
    const columns = await system.query(
      `SELECT name, type FROM pragma_table_info(${literal(table)}) ORDER BY cid`,
    );
    const types = typesQuestion(system, table, columns);
    if (types !== undefined) questions.push(types);
    const dates = columns.flatMap(({ name, type }) =>
      typeOf(type ?? '') === 'datetime' ? [name as string] : [],
    );
    if (dates.length > 0) questions.push(unitQuestion(table, dates));
  }
  return questions;
}

/** Values that are not of their column's declared type: PostgreSQL would refuse them. */
function typesQuestion(
  system: OldSystem,
  table: string,
  columns: readonly FigureRow[],
): QualityQuestion | undefined {
  const wrong = columns.flatMap(({ name, type }) => {
    const condition = misfit(ident(name as string), type ?? '');
    return condition === undefined ? [] : [{ name: name as string, type: type as string, condition }];
  });
  if (wrong.length === 0) return undefined;
  return {
    kind: 'rule',
    name: `${table}: values are of their declared types`,
    summary: `numbers, booleans and dates of ${table} hold nothing else`,
    severity: 'warning',
    ask: async () => {
      const [counts = {}] = await system.query(
        `SELECT count(*) AS n, ${wrong.map(({ condition }, i) => `count(CASE WHEN ${condition} THEN 1 END) AS c${i}`).join(', ')} FROM ${system.table(table)}`,
      );
      const found = wrong.map((column, i) => ({ ...column, rows: Number(counts[`c${i}`]) }));
      return {
        offenders: found.reduce((sum, { rows }) => sum + rows, 0),
        of: Number(counts.n),
        examples: found
          .filter(({ rows }) => rows > 0)
          .map(({ name, type, rows }) => `${name} is declared ${type}, and is not in ${plural(rows, 'row')}`),
      };
    },
  };
}

/** Dates that are numbers, of which it cannot be told what they are: to read them would be refused. */
function unitQuestion(table: string, dates: readonly string[]): QualityQuestion {
  return {
    kind: 'rule',
    name: `${table}: dates tell how they are stored`,
    summary: `numbers in the dates of ${table} are of one unit in each column, and their size tells which`,
    severity: 'warning',
    next: "correct them, or say the unit where they are read: dates: { column: 'milliseconds' }",
    ask: async (system) => {
      const [counts = {}] = await system.query(
        `SELECT count(*) AS n, ${dates.map((name, i) => `count(${numberIn(ident(name))}) AS c${i}`).join(', ')} FROM ${system.table(table)}`,
      );
      let offenders = 0;
      const examples: string[] = [];
      for (const [i, name] of dates.entries()) {
        try {
          await system.moment(table, name);
        } catch (error) {
          if (!isError(error, 'unclear_dates')) throw error;
          offenders += Number(counts[`c${i}`]);
          examples.push(`${name}: ${(error.facts.details ?? []).join('; ')}`);
        }
      }
      return { offenders, of: Number(counts.n), examples };
    },
  };
}

function misfit(column: string, type: string): string | undefined {
  const as = typeOf(type);
  if (as === 'boolean') return `${column} IS NOT NULL AND ${column} NOT IN (0, 1)`;
  // Which of its numbers are dates is told by all of them together: a question of its own.
  if (as === 'datetime')
    return `${column} IS NOT NULL AND ${numberIn(column)} IS NULL AND (typeof(${column}) <> 'text' OR julianday(${column}) IS NULL)`;
  if (/int/i.test(type)) return `typeof(${column}) NOT IN ('integer', 'null')`;
  if (/real|floa|doub|deci|numer/i.test(type)) return `typeof(${column}) NOT IN ('real', 'integer', 'null')`;
  return undefined;
}

async function postgresQuestions(system: OldSystem, tables: readonly string[]): Promise<QualityQuestion[]> {
  const questions: QualityQuestion[] = [];
  for (const table of tables) {
    const constraints = await catalogOf(
      system,
      table,
      (oid) =>
        `SELECT format('%I.%I', tn.nspname, t.relname) AS table, c.conname AS name, c.contype AS type, p.relname AS "references", pn.nspname AS schema,
              (SELECT string_agg(a.attname, E'\\t' ORDER BY k.n) FROM unnest(c.conkey) WITH ORDINALITY k (attnum, n) JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum) AS columns,
              (SELECT string_agg(a.attname, E'\\t' ORDER BY k.n) FROM unnest(c.confkey) WITH ORDINALITY k (attnum, n) JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.attnum) AS keys,
              pg_get_expr(c.conbin, c.conrelid) AS expression
       FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace LEFT JOIN pg_class p ON p.oid = c.confrelid LEFT JOIN pg_namespace pn ON pn.oid = p.relnamespace
       WHERE c.conrelid = ${oid} AND NOT c.convalidated ORDER BY c.conname`,
    );
    for (const { table: at, name, type, columns, keys, references, schema, expression } of constraints) {
      const where = { table, at: at as string, name: name as string };
      const next = `ALTER TABLE ${at} VALIDATE CONSTRAINT ${ident(name as string)}   (once it has none)`;
      if (type === 'f' && columns != null && keys != null)
        questions.push(
          orphans({
            table,
            column: columns.split('\t'),
            references: `${schema}.${references}`,
            key: keys.split('\t'),
            severity: 'warning',
            next,
          }),
        );
      else if (type === 'c' && expression != null) questions.push(broken(where, `NOT (${expression})`, next));
      else if (type === 'n' && columns != null)
        questions.push(broken(where, `${ident(columns)} IS NULL`, next));
    }
  }
  return questions;
}

/** The condition is as the catalog has it: along our search_path. */
function broken(
  { table, at, name }: { readonly table: string; readonly at: string; readonly name: string },
  where: string,
  next: string,
): QualityQuestion {
  return {
    kind: 'rule',
    name: `${table}: ${name}`,
    summary: `every row of ${table} fulfils ${name}, which was added NOT VALID`,
    severity: 'warning',
    next,
    ask: async (system) => {
      const [counts = {}] = await catalogOf(
        system,
        table,
        () => `SELECT count(*) AS n, count(CASE WHEN ${where} THEN 1 END) AS bad FROM ${at}`,
      );
      const offenders = Number(counts.bad);
      return { offenders, of: Number(counts.n), examples: offenders === 0 ? [] : [plural(offenders, 'row')] };
    },
  };
}
