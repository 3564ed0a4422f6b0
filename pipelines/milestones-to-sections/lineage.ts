import type { Row, Source, Stage } from 'sluice';
import { lookup, passing } from 'sluice/transforms';
import { type Placed, projectRow, supplierRow, taskRow, templateRow, throughItsTask } from './rows.js';
import { complete } from './sections.js';
import type { OldRow, OldTable } from './source.js';

type Inputs = { readonly [T in OldTable]: Source<OldRow<T>> };

interface Parent<In extends Row, New extends string> {
  /** The column that names it, and what messages and reasons call it. */
  readonly on: Extract<keyof In, string>;
  readonly one: string;
  /** The reason where the old system has none. */
  readonly orphan: string;
  readonly all: Source;
  /** Those that the new tables get. */
  readonly carried: Source;
  readonly take?: Readonly<Record<New, string>>;
}

/**
 * Rows go on with their parent. Without it they are rejects: `orphan_…` where the old system has none, `…_rejected` where
 * the parent is a reject itself, so that what a run publishes within --max-rejects is whole.
 */
function ofParent<In extends Row, New extends string = never>({
  on,
  one,
  orphan,
  all,
  carried,
  take,
}: Parent<In, New>): readonly [Stage<In>, Stage<In, In & Readonly<Record<New, unknown>>>] {
  return [
    lookup<In, never>({ from: all, key: 'id', on, take: {}, reason: orphan }),
    lookup<In, New>({
      ...{ from: carried, key: 'id', on, take: take ?? ({} as Record<New, string>) },
      ...{ reason: `${one.replaceAll(' ', '_')}_rejected`, name: `the ${one}s that are carried over` },
    }),
  ];
}

/**
 * The stages that rows of tables with parents pass, and of every table the rows that pass: who is a parent is decided by
 * the very stages that the parent's own flow has.
 */
export function lineage(inputs: Inputs) {
  const suppliers = passing(inputs.suppliers, supplierRow);
  const projects = passing(inputs.projects, projectRow);
  const taskTypes = passing(inputs.task_types, projectRow);

  const toMilestones = [
    ...ofParent<OldRow<'milestones'>>({
      ...{ on: 'taskTypeId', one: 'task type', orphan: 'orphan_milestone' },
      ...{ all: inputs.task_types, carried: taskTypes },
    }),
    complete,
  ] as const;
  const milestones = passing(inputs.milestones, ...toMilestones);

  const toTasks = [
    ...ofParent<OldRow<'tasks'>>({
      ...{ on: 'milestoneId', one: 'milestone', orphan: 'orphan_task' },
      ...{ all: inputs.milestones, carried: milestones },
    }),
    taskRow,
  ] as const;
  const tasks = passing(inputs.tasks, ...toTasks);

  const ofProject = ofParent<OldRow<'project_milestone_tasks'>>({
    ...{ on: 'projectId', one: 'project', orphan: 'orphan_project' },
    ...{ all: inputs.projects, carried: projects },
  });
  const ofTask = ofParent<OldRow<'project_milestone_tasks'>, 'task_milestone'>({
    ...{ on: 'taskId', one: 'task', orphan: 'orphan_project_task' },
    ...{ all: inputs.tasks, carried: tasks, take: { task_milestone: 'section_id' } },
  });
  const toTemplates = [
    lookup<Omit<Placed, 'task_type'>, 'task_type'>({
      ...{ from: milestones, key: 'id', on: 'task_milestone', take: { task_type: 'taskTypeId' } },
    }),
    throughItsTask,
    templateRow,
  ] as const;
  const templates = passing(inputs.project_milestone_tasks, ...ofProject, ...ofTask, ...toTemplates);

  const ofSupplier = ofParent<OldRow<'supplier_task_instances'>>({
    ...{ on: 'supplierId', one: 'supplier', orphan: 'orphan_supplier' },
    ...{ all: inputs.suppliers, carried: suppliers },
  });
  const ofTemplate = ofParent<OldRow<'supplier_task_instances'>, 'project' | 'project_due'>({
    ...{
      on: 'projectMilestoneTaskId',
      one: 'project milestone task',
      orphan: 'orphan_project_milestone_task',
    },
    ...{ all: inputs.project_milestone_tasks, carried: templates },
    take: { project: 'project_id', project_due: 'due_date' },
  });
  return { tasks, toMilestones, toTasks, ofProject, ofTask, toTemplates, ofSupplier, ofTemplate };
}
