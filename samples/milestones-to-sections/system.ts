import { elementAt } from '../element.js';
import { generator } from '../lot-consolidation/system.js';

/** What decides the generated system; the same values give the same system, to the byte. */
export interface SystemOptions {
  /** How many supplier task instances to make, exactly. */
  readonly instances: number;
  readonly suppliers: number;
  /** Any integer. */
  readonly seed: number;
}

export type Cell = string | number | boolean | null;

/** How a column is written: SQLite has moments as milliseconds, PostgreSQL as text. */
export type Kind = 'text' | 'integer' | 'boolean' | 'moment';

/** A table of the old system: columns with their kinds, in the order of the schema. */
export interface Table {
  readonly name: string;
  readonly columns: readonly (readonly [name: string, kind: Kind])[];
  /** The rows, made one after the other. */
  readonly rows: () => Generator<readonly Cell[]>;
}

const DAY = 86_400_000;
const START = Date.UTC(2024, 0, 1, 9);
const STANDARD: readonly (readonly [
  type: string,
  milestones: readonly (readonly [code: string, name: string])[],
])[] = [
  [
    'Part Approval',
    [
      ['PA1', 'PA1 - Planning'],
      ['PA2', 'PA2'],
      ['PA3', 'PA3'],
      ['PA4', 'PA4 - Full Approval'],
    ],
  ],
  [
    'NMR',
    [
      ['NMR1', 'NMR1'],
      ['NMR2', 'NMR2'],
      ['NMR3', 'NMR3 - Release'],
    ],
  ],
];
const CUSTOM = ['Tooling', 'Packaging', 'Logistics', 'Audit'];
const SECTIONS = ['Kick-off', 'Sampling', 'Sampling', 'Review', 'Sign-off'];
const TASKS = 4;
/** Tasks of one project: about that many of all there are. */
const SHARE = 0.85;

const STATUSES: readonly (readonly [status: string, share: number])[] = [
  ['not_started', 0.35],
  ['in_progress', 0.2],
  ['submitted', 0.08],
  ['rejected', 0.02],
  ['approved', 0.1],
  ['completed', 0.2],
  ['not_applicable', 0.05],
];

const moments = [
  ['createdAt', 'moment'],
  ['updatedAt', 'moment'],
] as const;

/**
 * The old system, table by table in an order that keys allow. Rows are made as they are asked for; what is held is the
 * structure (types, milestones, tasks, project tasks), not the instances. Throws a RangeError where a supplier would
 * have to do a task twice.
 */
export function system(options: SystemOptions): Table[] {
  const { suppliers, instances, seed } = options;
  const each = Math.ceil(instances / Math.max(1, suppliers));
  const types = [...STANDARD.map(([name]) => name), ...CUSTOM];
  const milestones = types.flatMap(
    (_, t): { id: string; type: string; code: string | null; name: string; sequence: number }[] => {
      const own: readonly (readonly [string | null, string])[] =
        STANDARD[t]?.[1] ?? SECTIONS.map((name) => [null, name] as const);
      return own.map(([code, name], m) => ({
        id: id('mil', t * 100 + m),
        type: id('typ', t),
        code,
        name: code === null ? `${name}` : name,
        sequence: m + 1,
      }));
    },
  );
  // The last milestone of every type has no tasks yet.
  const filled = milestones.filter((each, at) => milestones[at + 1]?.type === each.type);
  const tasks = filled.flatMap((milestone, m) =>
    Array.from({ length: TASKS }, (_, k) => ({
      id: id('tsk', m * TASKS + k),
      milestone: milestone.id,
      name: `${milestone.name}: step ${k + 1}`,
      sequence: k + 1,
    })),
  );
  const projects = Math.max(20, Math.ceil((each * 4) / (tasks.length * SHARE)));
  const random = generator(seed);
  const placed: { id: string; project: string; milestone: string; task: string; due: number | null }[] = [];
  for (let p = 0; p < projects; p++)
    for (const task of tasks)
      if (random() < SHARE)
        placed.push({
          id: id('pmt', placed.length),
          project: id('prj', p),
          milestone: task.milestone,
          task: task.id,
          due: random() < 0.03 ? null : START + Math.floor(random() * 900) * DAY,
        });
  if (each > placed.length) throw new RangeError(`${each} tasks for each supplier are more than there are`);
  const made = (n: number): [number, number] => [
    START + (n % 500) * 60_000,
    START + DAY + (n % 1000) * 61_007,
  ];
  const table = (name: string, columns: Table['columns'], rows: Table['rows']): Table => ({
    name,
    columns: [...columns, ...moments],
    rows,
  });
  return [
    table(
      'suppliers',
      [
        ['id', 'text'],
        ['name', 'text'],
        ['contactInfo', 'text'],
      ],
      function* () {
        for (let s = 0; s < suppliers; s++)
          yield [id('sup', s), `Supplier ${s + 1}`, `{"email": "s${s + 1}@example.com"}`, ...made(s)];
      },
    ),
    table(
      'projects',
      [
        ['id', 'text'],
        ['name', 'text'],
        ['description', 'text'],
      ],
      function* () {
        for (let p = 0; p < projects; p++) yield [id('prj', p), `Project ${p + 1}`, null, ...made(p)];
      },
    ),
    table(
      'task_types',
      [
        ['id', 'text'],
        ['name', 'text'],
        ['description', 'text'],
      ],
      function* () {
        for (const [t, name] of types.entries()) yield [id('typ', t), name, null, ...made(t)];
      },
    ),
    table(
      'milestones',
      [
        ['id', 'text'],
        ['taskTypeId', 'text'],
        ['code', 'text'],
        ['name', 'text'],
        ['description', 'text'],
        ['sequence', 'integer'],
      ],
      function* () {
        for (const [m, each] of milestones.entries())
          yield [each.id, each.type, each.code, each.name, null, each.sequence, ...made(m)];
      },
    ),
    table(
      'tasks',
      [
        ['id', 'text'],
        ['milestoneId', 'text'],
        ['name', 'text'],
        ['description', 'text'],
        ['sequence', 'integer'],
      ],
      function* () {
        for (const [k, each] of tasks.entries())
          yield [each.id, each.milestone, each.name, null, each.sequence, ...made(k)];
      },
    ),
    table(
      'project_milestone_tasks',
      [
        ['id', 'text'],
        ['projectId', 'text'],
        ['milestoneId', 'text'],
        ['taskId', 'text'],
        ['dueDate', 'moment'],
        ['notes', 'text'],
        ['responsibleParties', 'text'],
      ],
      function* () {
        for (const [n, each] of placed.entries())
          yield [
            each.id,
            each.project,
            each.milestone,
            each.task,
            each.due,
            n % 10 === 0 ? `note of ${n}` : null,
            n % 3 === 0 ? '["Quality","Supplier"]' : null,
            ...made(n),
          ];
      },
    ),
    table(
      'supplier_task_instances',
      [
        ['id', 'text'],
        ['supplierId', 'text'],
        ['projectMilestoneTaskId', 'text'],
        ['status', 'text'],
        ['actualDueDate', 'moment'],
        ['completedAt', 'moment'],
        ['notes', 'text'],
        ['attachments', 'text'],
        ['isApplied', 'boolean'],
      ],
      function* () {
        const chance = generator(seed + 1);
        for (let n = 0; n < instances; n++) {
          const supplier = Math.floor(n / each);
          // Neighbours in the list are of one project, so that a supplier has whole projects.
          const at = elementAt(placed, (supplier * 37 + (n % each)) % placed.length);
          const status = pick(chance());
          const done = status === 'approved' || status === 'completed';
          const override = chance();
          yield [
            id('sti', n),
            id('sup', supplier),
            at.id,
            status,
            override < 0.15 ? START + Math.floor(override * 6000) * DAY : null,
            done ? START + (n % 900) * DAY : null,
            chance() < 0.2 ? `note ${n}\nby the supplier` : null,
            chance() < 0.05 ? `[{"name":"report-${n}.pdf"}]` : null,
            chance() < 0.95,
            ...made(n),
          ];
        }
      },
    ),
    table(
      'task_templates',
      [
        ['id', 'text'],
        ['projectId', 'text'],
        ['name', 'text'],
        ['description', 'text'],
        ['dueDate', 'moment'],
      ],
      function* () {
        for (let n = 0; n < 20; n++)
          yield [id('tpl', n), id('prj', n), `Legacy ${n}`, null, START, ...made(n)];
      },
    ),
    table(
      'task_instances',
      [
        ['id', 'text'],
        ['supplierId', 'text'],
        ['taskTemplateId', 'text'],
        ['status', 'text'],
        ['dueDate', 'moment'],
        ['notes', 'text'],
      ],
      function* () {
        for (let n = 0; n < 200; n++)
          yield [
            id('lin', n),
            id('sup', n % Math.max(1, suppliers)),
            id('tpl', n % 20),
            'DONE',
            null,
            null,
            ...made(n),
          ];
      },
    ),
  ];
}

/** An id of 25 characters, as Prisma makes them. */
function id(kind: string, n: number): string {
  const mixed = Math.imul(n + 1, 0x9e3779b1) >>> 0;
  const more = Math.imul(mixed ^ 0x5bd1e995, 0x85ebca6b) >>> 0;
  return `c${kind}${pad(mixed)}${pad(more)}${pad(n)}`;
}

const pad = (n: number) => n.toString(36).padStart(7, '0');

function pick(at: number): string {
  let sum = 0;
  for (const [status, share] of STATUSES) {
    sum += share;
    if (at < sum) return status;
  }
  return 'not_started';
}
