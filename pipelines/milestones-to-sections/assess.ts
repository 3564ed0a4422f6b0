import {
  type AssessmentDeclaration,
  allowed,
  figures,
  inOrder,
  orphans,
  type QualityQuestion,
  required,
  rule,
} from 'sluice';
import { OLD } from './source.js';
import { DONE, SECTION_OF_CODE, STATUSES } from './words.js';

const list = (words: readonly string[]) => words.map((word) => `'${word}'`).join(', ');
const codes = list(Object.keys(SECTION_OF_CODE));

const points = (
  table: string,
  column: string,
  references: string,
  severity: 'error' | 'warning' = 'error',
): QualityQuestion =>
  orphans({
    ...{ table, column, references, severity },
    next:
      severity === 'error'
        ? `add the missing rows to ${references}, or delete those of ${table}: a run rejects them`
        : 'nothing: legacy rows are carried as they are, orphans and all',
  });

/** What is looked at before the night: an error is something that a run would reject. */
export const assessment: AssessmentDeclaration = {
  tables: Object.keys(OLD),
  questions: [
    points('milestones', 'taskTypeId', 'task_types'),
    points('tasks', 'milestoneId', 'milestones'),
    points('project_milestone_tasks', 'projectId', 'projects'),
    points('project_milestone_tasks', 'milestoneId', 'milestones'),
    points('project_milestone_tasks', 'taskId', 'tasks'),
    points('supplier_task_instances', 'supplierId', 'suppliers'),
    points('supplier_task_instances', 'projectMilestoneTaskId', 'project_milestone_tasks'),
    points('task_templates', 'projectId', 'projects', 'warning'),
    points('task_instances', 'supplierId', 'suppliers', 'warning'),
    points('task_instances', 'taskTemplateId', 'task_templates', 'warning'),
    ...['suppliers', 'projects', 'task_types', 'milestones', 'tasks'].flatMap((table) =>
      required({
        ...{ table, columns: ['name'], show: ['id'] },
        next: 'give them names: sections and lists show nothing else',
      }),
    ),
    rule(
      'a project’s task is of the milestone it says',
      'the task of every project_milestone_tasks row belongs to that row’s milestone',
      {
        from: 'project_milestone_tasks p JOIN tasks k ON k.id = p."taskId"',
        where: 'k."milestoneId" <> p."milestoneId"',
        show: ['p.id'],
        next: 'correct milestoneId or taskId: a run rejects the row, for its section would be a guess',
      },
    ),
    allowed({
      ...{ table: 'supplier_task_instances', column: 'status', values: STATUSES },
      next: 'correct the status: the new table takes only these',
    }),
    ...(['project_milestone_tasks', 'supplier_task_instances'] as const).map((table) =>
      inOrder({ table, earlier: 'createdAt', later: 'updatedAt', show: ['id'], severity: 'warning' }),
    ),
    inOrder({
      ...{ table: 'supplier_task_instances', earlier: 'createdAt', later: 'completedAt', show: ['id'] },
      severity: 'warning',
    }),
    rule('finished tasks say when', 'every completed or approved task has its completedAt', {
      from: 'supplier_task_instances i',
      where: `i.status IN ('completed', 'approved') AND i."completedAt" IS NULL`,
      show: ['i.status'],
      severity: 'warning',
    }),
    rule('open tasks say no completion', 'no task that is not finished has a completedAt', {
      from: 'supplier_task_instances i',
      where: `i.status NOT IN (${list(DONE)}) AND i."completedAt" IS NOT NULL`,
      show: ['i.status'],
      severity: 'warning',
    }),
    rule(
      'codes are written alike',
      'no milestone has a code that differs from a standard one in letters’ case or spaces only',
      {
        from: 'milestones m',
        where: `upper(trim(m.code)) IN (${codes}) AND m.code NOT IN (${codes})`,
        show: ['m.code', 'm.name'],
        severity: 'warning',
        next: 'write the code in capitals if it is meant: else the milestone keeps its own name',
      },
    ),
    figures(
      'Task types and their milestones',
      'the sections that each type gets, and how many tasks they have',
      {
        query: `SELECT y.name AS task_type, m.sequence, m.code, m.name AS milestone, count(k.id) AS tasks
              FROM task_types y JOIN milestones m ON m."taskTypeId" = y.id LEFT JOIN tasks k ON k."milestoneId" = m.id
              GROUP BY y.id, y.name, m.id, m.sequence, m.code, m.name ORDER BY y.name, m.sequence, m.id`,
        chart: { label: 'milestone', value: 'tasks' },
      },
    ),
    figures(
      'Section patterns',
      'how milestones become sections: by a standard code, or under their own name',
      {
        query: `SELECT CASE WHEN m.code IN (${codes}) THEN 'standard code ' || m.code WHEN coalesce(m.code, '') = '' THEN 'no code' ELSE 'code of its own' END AS pattern,
                     count(*) AS milestones, count(DISTINCT m."taskTypeId") AS task_types
              FROM milestones m GROUP BY 1 ORDER BY 2 DESC, 1`,
        chart: { label: 'pattern', value: 'milestones' },
      },
    ),
    figures(
      'Names that several milestones of a type share',
      'these get " (2)", " (3)", … behind their names',
      {
        query: `SELECT y.name AS task_type, m.name AS milestone, count(*) AS times
              FROM milestones m JOIN task_types y ON y.id = m."taskTypeId"
              GROUP BY y.id, y.name, m.name HAVING count(*) > 1 ORDER BY 3 DESC, 1, 2`,
      },
    ),
    figures('Due-date overrides', 'where suppliers have another date than their project', {
      query: async (system) =>
        overrides(
          await system.moment('supplier_task_instances', 'actualDueDate', 'i'),
          await system.moment('project_milestone_tasks', 'dueDate', 'p'),
        ),
      chart: { label: 'project', value: 'overridden' },
    }),
    figures('Tasks by status', 'how far the suppliers are', {
      query: 'SELECT status, count(*) AS tasks FROM supplier_task_instances GROUP BY 1 ORDER BY 2 DESC, 1',
      chart: { label: 'status', value: 'tasks' },
    }),
  ],
};

function overrides(own: string, project: string): string {
  const count = (when: string) => `count(CASE WHEN ${when} THEN 1 END)`;
  return `SELECT r.name AS project, count(*) AS tasks, count(i."actualDueDate") AS overridden,
    ${count(`${own} < ${project}`)} AS earlier, ${count(`${own} > ${project}`)} AS later, ${count(`${own} = ${project}`)} AS the_same,
    ${count('i."actualDueDate" IS NOT NULL AND p."dueDate" IS NULL')} AS project_has_none
    FROM supplier_task_instances i JOIN project_milestone_tasks p ON p.id = i."projectMilestoneTaskId" JOIN projects r ON r.id = p."projectId"
    GROUP BY r.id, r.name ORDER BY 3 DESC, 1`;
}
