import { readFileSync } from 'node:fs';
import type { NewTable } from 'sluice';

/** The columns of `tasks_part` that the pipeline fills: all of them. */
export const PART_COLUMNS = [
  'id',
  'key',
  'task_key',
  'name',
  'description',
  'job_no',
  'image_no',
  'position_no',
  'quantity',
  'material',
  'dimensions',
  'weight_kg',
  'finish_time',
  'created_by_id',
  'created_at',
  'completed_by_id',
  'completion_date',
] as const;

/** The columns of `tasks_operation` that the pipeline fills: all of them. */
export const OPERATION_COLUMNS = [
  'key',
  'part_id',
  'name',
  'description',
  'order',
  'interchangeable',
  'machine_fk_id',
  'estimated_hours',
  'in_plan',
  'plan_order',
  'planned_start_ms',
  'planned_end_ms',
  'plan_locked',
  'created_by_id',
  'created_at',
  'completed_by_id',
  'completion_date',
] as const;

/** The columns that old and new costs share. */
export const COST_COLUMNS = [
  'job_no_cached',
  'currency',
  'hours_ww',
  'hours_ah',
  'hours_su',
  'cost_ww',
  'cost_ah',
  'cost_su',
  'total_cost',
] as const;

/** The columns of a cost that are added up. */
export const AMOUNTS = COST_COLUMNS.filter((column) => /^(hours|cost|total)_/.test(column));

/** What an operation must keep so that the planning view shows what it showed. */
export const PLANNING_COLUMNS = [
  'in_plan',
  'plan_order',
  'planned_start_ms',
  'planned_end_ms',
  'plan_locked',
] as const;

/** The sample's file with the new tables, from dist/pipelines/tasks-to-operations. */
const NEW_TABLES = new URL('../../../samples/tasks-to-operations/new-tables.sql', import.meta.url);

/** How the new tables are made where they are missing, by their names in the pipeline. */
export function newTables(): Record<'parts' | 'operations' | 'costs' | 'userCosts', NewTable> {
  const statements = statementsOf(readFileSync(NEW_TABLES, 'utf8'));
  return {
    parts: newTable(statements, 'tasks_part'),
    operations: newTable(statements, 'tasks_operation'),
    costs: newTable(statements, 'tasks_partcostagg'),
    userCosts: newTable(statements, 'tasks_partcostagguser'),
  };
}

/** The statements of a file whose statements all end with a semicolon at the end of a line. */
function statementsOf(file: string): string[] {
  const text = file.replace(/^--.*\n/gm, '');
  return text
    .split(/;\s*\n/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

function newTable(statements: readonly string[], table: string): NewTable {
  const create = statements.find((statement) => statement.startsWith(`CREATE TABLE ${table} (`));
  if (create === undefined) throw new Error(`new-tables.sql does not make ${table}`);
  const about = new RegExp(
    `^(ALTER TABLE ${table} |CREATE INDEX \\w+ ON ${table} |COMMENT ON COLUMN ${table}\\.)`,
  );
  return { create, after: statements.filter((statement) => about.test(statement)) };
}
