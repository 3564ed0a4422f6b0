import { ident, query, type Rows, type Run, type Source, type TextRow } from 'sluice';

/** The columns of the old tables, as Prisma lays them out. */
export const OLD = {
  suppliers: ['id', 'name', 'contactInfo', 'createdAt', 'updatedAt'],
  projects: ['id', 'name', 'description', 'createdAt', 'updatedAt'],
  task_types: ['id', 'name', 'description', 'createdAt', 'updatedAt'],
  milestones: ['id', 'taskTypeId', 'code', 'name', 'description', 'sequence', 'createdAt', 'updatedAt'],
  tasks: ['id', 'milestoneId', 'name', 'description', 'sequence', 'createdAt', 'updatedAt'],
  project_milestone_tasks: [
    'id',
    'projectId',
    'milestoneId',
    'taskId',
    'dueDate',
    'notes',
    'responsibleParties',
    'createdAt',
    'updatedAt',
  ],
  supplier_task_instances: [
    'id',
    'supplierId',
    'projectMilestoneTaskId',
    'status',
    'actualDueDate',
    'completedAt',
    'notes',
    'attachments',
    'isApplied',
    'createdAt',
    'updatedAt',
  ],
  task_templates: ['id', 'projectId', 'name', 'description', 'dueDate', 'createdAt', 'updatedAt'],
  task_instances: [
    'id',
    'supplierId',
    'taskTemplateId',
    'status',
    'dueDate',
    'notes',
    'createdAt',
    'updatedAt',
  ],
} as const;

export type OldTable = keyof typeof OLD;

type OldColumn<T extends OldTable> = (typeof OLD)[T][number];

/** The same, so that the columns of any table are known to be its own. */
const COLUMNS: { readonly [T in OldTable]: readonly OldColumn<T>[] } = OLD;

/** A row of an old table: text, or NULL. */
export type OldRow<T extends OldTable> = TextRow<OldColumn<T>>;

/** An old table: of an SQLite file where `--source` names one, else of the database, along its search path. */
export function oldTable<T extends OldTable>(table: T): Source<OldRow<T>> {
  const columns = COLUMNS[table];
  return query(`SELECT ${columns.map(ident).join(', ')} FROM ${table}`, {
    name: table,
    columns,
    table,
    sqlite: { table },
  });
}

/** The different values of one column of `from`, each as a row of that column alone; NULL is left out. */
export function distinctValues<C extends string>(
  from: Source<Readonly<Record<C, unknown>>>,
  column: C,
): Source<Readonly<Record<C, string>>> {
  return {
    name: from.name,
    kind: from.kind,
    async *read(run: Run): Rows<Readonly<Record<C, string>>> {
      const seen = new Set<unknown>();
      for await (const chunk of from.read(run)) {
        const fresh: Readonly<Record<C, string>>[] = [];
        for (const row of chunk) {
          const value = row[column];
          if (value === null || value === undefined || seen.has(value)) continue;
          seen.add(value);
          // A computed key is `string` to the compiler, whatever the type of `column`.
          fresh.push({ [column]: value } as Record<C, string>);
        }
        if (fresh.length > 0) yield fresh;
      }
    },
  };
}
