/**
 * A view that a pipeline brings along. It is made in the publishing transaction where nothing has its name,
 * and goes again with the rollback of the batch that made it. What has the name already is left as it is.
 */
export interface View {
  /** Unquoted, without a schema: it is made in the schema of the table `sideInput`. */
  readonly name: string;
  /** The pipeline's table (its name in `tables`) whose publish makes it, and whose undo takes it away. */
  readonly beside: string;
  /** What it shows, as a comment on it. */
  readonly comment: string;
  /** Its SELECT. `live` gives the quoted, qualified name of one of the pipeline's tables; everything else in it
   * is found by the search path of the session that publishes. */
  readonly select: (live: (table: string) => string) => string;
}

/** Declares a view, for `views` of a pipeline: the publish makes it where nothing has its name, and its rollback drops it. */
export function view(name: string, options: Omit<View, 'name'>): View {
  return { name, ...options };
}
