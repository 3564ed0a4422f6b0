import type { AnyRow, Column, Source, Stage } from 'sluice';
import { lookup, passing, type Take, type Taken } from 'sluice/transforms';
import { type Placed, projectRow, supplierRow, taskRow, templateRow, throughItsTask } from './rows.js';
import { complete } from './sections.js';
import type { OldRow, OldTable } from './source.js';

type Inputs = { readonly [T in OldTable]: Source<OldRow<T>> };

interface Parent<In extends AnyRow, From extends AnyRow, T extends Take<From>> {
  /** Whose parents they are. */
  readonly of: Source<In>;
  /** The column that names it, and what messages and reasons call it. */
  readonly on: Column<In>;
  readonly one: string;
  /** The reason where the old system has none. */
  readonly orphan: string;
  readonly all: Source<{ readonly id: unknown }>;
  /** Those that the new tables get. */
  readonly carried: Source<From>;
  readonly take: T;
}

/**
 * Rows go on with their parent. Without it they are rejects: `orphan_…` where the old system has none, `…_rejected` where
 * the parent is a reject itself, so that what a run publishes within --max-rejects is whole.
 */
function ofParent<In extends AnyRow, From extends { readonly id: unknown }, const T extends Take<From>>({
  on,
  one,
  orphan,
  all,
  carried,
  take,
}: Parent<In, From, T>): readonly [Stage<In>, Stage<In, In & Taken<From, T>>] {
  return [
    lookup({ from: all, key: 'id', on, take: {}, reason: orphan }),
    lookup({
      ...{ from: carried, key: 'id', on, take },
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
    ...ofParent({
      of: inputs.milestones,
      ...{ on: 'taskTypeId', one: 'task type', orphan: 'orphan_milestone' },
      ...{ all: inputs.task_types, carried: taskTypes },
      take: {},
    }),
    complete,
  ] as const;
  const milestones = passing(inputs.milestones, ...toMilestones);

  const toTasks = [
    ...ofParent({
      of: inputs.tasks,
      ...{ on: 'milestoneId', one: 'milestone', orphan: 'orphan_task' },
      ...{ all: inputs.milestones, carried: milestones },
      take: {},
    }),
    taskRow,
  ] as const;
  const tasks = passing(inputs.tasks, ...toTasks);

  const ofProject = ofParent({
    of: inputs.project_milestone_tasks,
    ...{ on: 'projectId', one: 'project', orphan: 'orphan_project' },
    ...{ all: inputs.projects, carried: projects },
    take: {},
  });
  const ofTask = ofParent({
    of: inputs.project_milestone_tasks,
    ...{ on: 'taskId', one: 'task', orphan: 'orphan_project_task' },
    ...{ all: inputs.tasks, carried: tasks, take: { task_milestone: 'section_id' } },
  });
  const withTaskType: Stage<Omit<Placed, 'task_type'>, Placed> = lookup({
    ...{ from: milestones, key: 'id', on: 'task_milestone', take: { task_type: 'taskTypeId' } },
  });
  const toTemplates = [withTaskType, throughItsTask, templateRow] as const;
  const templates = passing(inputs.project_milestone_tasks, ...ofProject, ...ofTask, ...toTemplates);

  const ofSupplier = ofParent({
    of: inputs.supplier_task_instances,
    ...{ on: 'supplierId', one: 'supplier', orphan: 'orphan_supplier' },
    ...{ all: inputs.suppliers, carried: suppliers },
    take: {},
  });
  const ofTemplate = ofParent({
    of: inputs.supplier_task_instances,
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
