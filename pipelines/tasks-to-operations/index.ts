import { append, flow, leaveBehind, named, patch, pipeline, type Stage } from 'sluice';
import { filter, map, mapChunk } from 'sluice/transforms';
import { beforeAnythingIsWritten } from './checks.js';
import { newTables } from './new-tables.js';
import { differences, recomputed } from './recompute.js';
import {
  contentType,
  jobCosts,
  jobUserCosts,
  lookForTables,
  type OldCost,
  type OldTask,
  type OldTimer,
  type OldUserCost,
  tasks,
  timers,
} from './source.js';
import { COST_COLUMNS, OPERATION_COLUMNS, PART_COLUMNS } from './tables.js';
import { beforePublishing } from './validations.js';

/** The reason under which what an earlier run has migrated is counted. */
const MIGRATED = 'already_migrated';

const notMigrated = <R extends { readonly migrated: string | null }>(): Stage<R> =>
  filter((row) => row.migrated !== 't', MIGRATED);

const toPart = map(
  (task: OldTask) => ({
    id: task.part_number,
    key: `PT-${task.key}`,
    task_key: task.key,
    name: task.name,
    description: task.description,
    job_no: task.job_no,
    image_no: task.image_no,
    position_no: task.position_no,
    quantity: task.quantity,
    material: task.material,
    dimensions: task.dimensions,
    weight_kg: task.weight_kg,
    finish_time: task.finish_time,
    created_by_id: task.created_by_id,
    created_at: task.created_at,
    completed_by_id: task.completed_by_id,
    completion_date: task.completion_date,
  }),
  'to parts',
);

const toOperation = map(
  (task: OldTask) => ({
    key: task.key,
    part_id: task.part_id,
    name: task.name,
    description: task.description,
    order: '1',
    interchangeable: 'f',
    machine_fk_id: task.machine_fk_id,
    estimated_hours: task.estimated_hours,
    in_plan: task.in_plan,
    plan_order: task.plan_order,
    planned_start_ms: task.planned_start_ms,
    planned_end_ms: task.planned_end_ms,
    plan_locked: task.plan_locked,
    created_by_id: task.created_by_id,
    created_at: task.created_at,
    completed_by_id: task.completed_by_id,
    completion_date: task.completion_date,
  }),
  'to operations',
);

/** Timers of tasks that are gone: rejects, or left where they are, as the setting has it. */
const withTask = (left: boolean): Stage<OldTimer> =>
  named('timers of tasks', (rows, run) =>
    mapChunk<OldTimer, OldTimer>((chunk) => {
      const good = chunk.filter((timer) => timer.task_key !== null);
      if (left && good.length < chunk.length) run.skip('left_on_missing_task', chunk.length - good.length);
      if (!left)
        for (const timer of chunk)
          if (timer.task_key === null)
            run.reject(timer, {
              reason: 'timer_without_task',
              column: 'object_id',
              value: timer.object_id,
              message: `timer ${timer.id} is of the task ${timer.object_id}, which does not exist`,
              recordType: 'tasks_timer',
              sourceId: timer.id ?? '',
            });
      return good;
    })(rows, run),
  );

/** Costs whose task is gone have no part to go to: rejects. */
function withPart<R extends OldCost>(recordType: string, whose: (cost: R) => string): Stage<R> {
  return named('costs with a part', (rows, run) =>
    mapChunk<R, R>((chunk) => {
      const good = chunk.filter((cost) => cost.part_id !== null);
      for (const cost of chunk)
        if (cost.part_id === null)
          run.reject(cost, {
            reason: 'cost_without_part',
            column: 'task_id',
            value: cost.task_id,
            message: `${whose(cost)} of ${cost.total_cost} ${cost.currency} for job ${cost.job_no_cached || '(none)'} have no part to go to: there is no task ${cost.task_id}`,
            recordType,
            sourceId: whose(cost),
          });
      return good;
    })(rows, run),
  );
}

const costsOfTask = withPart<OldCost>('machining_jobcostagg', (cost) => `the costs of task ${cost.task_id}`);
const costsOfUser = withPart<OldUserCost>(
  'machining_jobcostagguser',
  (cost) => `the costs of task ${cost.task_id} by user ${cost.user_id}`,
);

const repointed = map(
  ({ id, content_type_id, object_id }: OldTimer) => ({ id, content_type_id, object_id }),
  'to operations’ timers',
);

export default pipeline({
  name: 'tasks-to-operations',
  summary: 'Every machining task becomes a part with one operation; timers and costs follow',
  inputs: { tasks, timers, contentType, jobCosts, jobUserCosts, recomputed },
  tables: {
    contentTypes: append('django_content_type', { columns: ['id', 'app_label', 'model'] }),
    parts: append('tasks_part', { columns: PART_COLUMNS }),
    operations: append('tasks_operation', { columns: OPERATION_COLUMNS }),
    timers: patch('tasks_timer', { columns: ['id', 'content_type_id', 'object_id'], key: ['id'] }),
    costs: append('tasks_partcostagg', { columns: ['part_id', ...COST_COLUMNS] }),
    userCosts: append('tasks_partcostagguser', { columns: ['part_id', 'user_id', ...COST_COLUMNS] }),
  },
  // What is read, and what the ids go on from: a write to any of them stops the publish.
  guards: [
    'machining_task',
    'machining_jobcostagg',
    'machining_jobcostagguser',
    'django_content_type',
    'tasks_part',
    'tasks_operation',
    'tasks_partcostagg',
    'tasks_partcostagguser',
  ],
  creates: newTables,
  // Where the key of a part is its primary key, it has no id to be filled.
  fills: async ({ run }): Promise<Record<string, string[]>> =>
    (await lookForTables(run.database)).numbered
      ? {}
      : { parts: PART_COLUMNS.filter((column) => column !== 'id') },
  settings: {
    orphan_timers: {
      summary: 'timers of tasks that do not exist: refuse them, or leave them as they are',
      default: 'refuse',
      values: ['refuse', 'leave'],
    },
    recompute: {
      summary: 'compare the costs with what the timers give: report differences, refuse them, or do not ask',
      default: 'report',
      values: ['report', 'refuse', 'off'],
    },
    tolerance: { summary: 'the largest difference, in hours or money, that is not told', default: '0.01' },
    timezone: { summary: 'where days begin and end for the recomputed costs', default: 'Europe/Istanbul' },
    leave_behind: leaveBehind,
    workday: { summary: 'when work on a weekday is not after hours', default: '07:30-17:00' },
  },
  correctAtSource: 'parts, operations and costs must be those of the old tables',
  backup: { whereThere: ['machining_wagerate'] },
  indispensable: ['tasks', 'timers'],
  checks: beforeAnythingIsWritten,
  flows: ({ inputs, tables, settings }) => [
    flow(inputs.tasks)
      .through(notMigrated<OldTask>())
      .fork(
        (rows) => rows.through(toPart).into(tables.parts),
        (rows) => rows.through(toOperation).into(tables.operations),
      ),
    flow(inputs.timers)
      .through(withTask(settings.orphan_timers === 'leave'), repointed)
      .into(tables.timers),
    flow(inputs.contentType).into(tables.contentTypes),
    flow(inputs.jobCosts).through(costsOfTask, notMigrated<OldCost>()).into(tables.costs),
    flow(inputs.jobUserCosts).through(costsOfUser, notMigrated<OldUserCost>()).into(tables.userCosts),
    flow(inputs.recomputed).into(differences(settings)),
  ],
  validations: beforePublishing,
});
