import type { AnyRow, Row } from './row.js';
import type { Target } from './target.js';
import type { Sink, Source, Stage } from './types.js';

/**
 * A part of a flow: stages in a row, then one end or a fork into further branches. Plain data. The row
 * types have been checked by the builder below and are forgotten here.
 */
export interface Branch {
  readonly stages: readonly Stage[];
  readonly into?: Target | Sink;
  readonly fork?: readonly Branch[];
}

/** A whole flow, declared and not yet running. */
export interface FlowPlan {
  readonly source: Source;
  readonly root: Branch;
  /** What a flow is known by to those that come after it; copies of the plan keep it. */
  readonly key?: symbol;
  /** Flows, by their keys, that are to be over before this one begins. */
  readonly after?: readonly symbol[];
}

export interface FlowOptions {
  /**
   * Flows of the same pipeline that this one waits for: its source is not read before their last row has been taken. For rows
   * that need to know what became of others. Flows that are no part of the run are not waited for.
   */
  readonly after?: FlowPlan | readonly FlowPlan[];
}

/** What `into` accepts for rows R: a target whose columns the rows have, else an explanation as a type. */
export type Fits<R extends AnyRow, C extends string> = [C] extends [keyof R & string]
  ? Target<C>
  : { readonly 'the rows lack these columns': Exclude<C, keyof R & string> };

/**
 * Rows on their way, under construction; immutable, every verb gives a new one. `Done` is what an end
 * gives: a whole flow, or a branch of a fork.
 */
export class FlowBuilder<R extends AnyRow, Done> {
  readonly #stages: readonly Stage[];
  readonly #end: (branch: Branch) => Done;

  constructor(stages: readonly Stage[], end: (branch: Branch) => Done) {
    this.#stages = stages;
    this.#end = end;
  }

  /** The rows as the given stages, up to ten, leave them, one after the other. Of a stage that is not given the rows are those before it. */
  through<
    A extends AnyRow = R,
    B extends AnyRow = A,
    C extends AnyRow = B,
    D extends AnyRow = C,
    E extends AnyRow = D,
    F extends AnyRow = E,
    G extends AnyRow = F,
    H extends AnyRow = G,
    I extends AnyRow = H,
    J extends AnyRow = I,
  >(
    a?: Stage<R, A>,
    b?: Stage<A, B>,
    c?: Stage<B, C>,
    d?: Stage<C, D>,
    e?: Stage<D, E>,
    f?: Stage<E, F>,
    g?: Stage<F, G>,
    h?: Stage<G, H>,
    i?: Stage<H, I>,
    j?: Stage<I, J>,
  ): FlowBuilder<J, Done>;
  through(...more: readonly (Stage<never, Row> | undefined)[]): FlowBuilder<Row, Done> {
    const given = more.filter((stage) => stage !== undefined) as unknown as readonly Stage[];
    return new FlowBuilder([...this.#stages, ...given], this.#end);
  }

  /** Ends the rows in a table to be published, or in any other sink. */
  into(end: Sink<R>): Done;
  // Behind the sink's: of the ways to call it the compiler explains the last, which names the columns.
  into<C extends string>(end: Target<C> & Fits<R, C>): Done;
  into(end: Target | Sink<never>): Done {
    return this.#end({ stages: this.#stages, into: end as Target | Sink });
  }

  /** Hands every chunk to each of the branches; the slowest sets the pace. */
  fork(...branches: readonly ((rows: FlowBuilder<R, Branch>) => Branch)[]): Done {
    const fork = branches.map((build) => build(new FlowBuilder<R, Branch>([], (branch) => branch)));
    return this.#end({ stages: this.#stages, fork });
  }
}

/** Starts a flow at a source. Nothing is read until the pipeline runs; flows run at once but for those that wait (`after`). */
export function flow<R extends AnyRow = Row>(
  source: Source<R>,
  options: FlowOptions = {},
): FlowBuilder<R, FlowPlan> {
  const any: Source<AnyRow> = source;
  const after = [options.after ?? []].flat().flatMap(({ key }) => key ?? []);
  return new FlowBuilder<R, FlowPlan>([], (root) => ({
    source: any as Source,
    root,
    key: Symbol(source.name),
    ...(after.length === 0 ? {} : { after }),
  }));
}

/** Every end of the branch, in the order of its declaration. */
export function endsOf(branch: Branch): (Target | Sink)[] {
  if (branch.into !== undefined) return [branch.into];
  return (branch.fork ?? []).flatMap(endsOf);
}

/** What messages call the end of a branch. */
export const endName = (end: Target | Sink): string => ('kind' in end ? end.table : end.name);

/** What a flow's accounts call its source, a stage, an end. */
export const accountName = {
  source: ({ name }: Pick<Source, 'name'>): string => `read ${name}`,
  stage: ({ stageName, name }: Stage): string => stageName ?? (name || 'unnamed stage'),
  end: (end: Target | Sink): string => `into ${endName(end)}`,
};

/** An entry of a flow's accounts. */
export interface BookEntry {
  readonly name: string;
  /** The way to it: '' before any fork, else the branches taken, such as `2` or `2.1`. */
  readonly branch: string;
  readonly role: 'source' | 'stage' | 'end';
}

/** The entries of a flow's accounts, in their order: the source, then every branch to its end, one after the other. */
export function bookOf({ source, root }: FlowPlan): BookEntry[] {
  return [{ name: accountName.source(source), branch: '', role: 'source' }, ...entriesOf(root, '')];
}

function entriesOf({ stages, into, fork = [] }: Branch, branch: string): BookEntry[] {
  return [
    ...stages.map((stage) => ({ name: accountName.stage(stage), branch, role: 'stage' as const })),
    ...(into === undefined ? [] : [{ name: accountName.end(into), branch, role: 'end' as const }]),
    ...fork.flatMap((each, at) => entriesOf(each, branchOf(branch, at))),
  ];
}

/** The way to the branch at `at` (0-based) of a fork that the way `branch` leads to. */
export const branchOf = (branch: string, at: number): string =>
  branch === '' ? String(at + 1) : `${branch}.${at + 1}`;

/** The place of the end that the way `branch` leads to in the accounts of its flow. */
export const accountAt = (plan: FlowPlan, branch: string): number =>
  bookOf(plan).findIndex((entry) => entry.role === 'end' && entry.branch === branch);

/** The names in a flow's accounts, in the order of their entries. */
export const bookNames = (plan: FlowPlan): string[] => bookOf(plan).map(({ name }) => name);
