import type { PartLaneOptions } from '../../../../sinks/load/part-lane.js';
import { clusterErrors } from '../../../core/errors/catalogue/cluster.js';
import type { StoredReject } from '../../../core/stored-reject.js';
import { type LoadedBy, recordPartOnce } from '../../../db/ledger/parts.js';
import { storeRejects } from '../../../db/ledger/rejects.js';
import type { StagedEnd } from '../../../db/ledger/segments.js';
import { qualified } from '../../../db/quote.js';
import type { Job } from '../../job/job.js';
import { kept } from '../segment.js';
import type { EndRows } from './end-rows.js';
import { firstReject } from './numbers.js';

/** What a worker's part brings along, beside the rows of its tables. */
interface PartExtras {
  take(): readonly StoredReject[];
  by(): LoadedBy;
  readonly ends: EndRows;
}

/**
 * What stands in the way of a worker that has slept: inside the transaction of a part's rows it asks whether the batch
 * still loads, by the same code and into the same table, and holds it so until the commit; stores the part's rejects and its rows for ends that are no tables; and
 * writes the part's row, of which there is one. Throws refused `part_closed`, `part_done`: the transaction is rolled back
 * then.
 */
export function fencedNoter({ take, by, ends }: PartExtras) {
  return (job: Job, end: StagedEnd, input: string): PartLaneOptions['onPart'] =>
    async (client, part) => {
      const batch = job.batch as string;
      await job.rejects.flush();
      const { rows } = await client.query<{ status: string; code: string | null; same: boolean | null }>(
        `SELECT b.status, b.manifest ->> 'code' AS code,
                b.schemas -> $2 -> 'tables' ->> $3 = pg_catalog.to_regclass($4)::pg_catalog.oid::pg_catalog.int8::pg_catalog.text AS same
         FROM sluice.migration_batch b WHERE b.id = $1 FOR SHARE`,
        [batch, end.schema, end.table, qualified(end.schema, end.table)],
      );
      const why = closed(rows[0], job.state.manifest?.code);
      if (why !== undefined) throw clusterErrors.part_closed({ batch, why });
      const first = firstReject(end.flow, part.start);
      await storeRejects(
        client,
        batch,
        take().map((reject, at) => ({ ...reject, number: first + at })),
      );
      await ends.send(client, end.schema, end.flow, part.start);
      const noted = { ...part, refused: kept(job, part.refused), columns: job.read.columns()[input] ?? [] };
      if (!(await recordPartOnce(client, batch, end, noted, by())))
        throw clusterErrors.part_done({ flow: end.flow, start: part.start });
    };
}

function closed(
  batch: { readonly status: string; readonly code: string | null; readonly same: boolean | null } | undefined,
  code: string | undefined,
): string | undefined {
  if (batch === undefined) return 'it is gone';
  if (batch.status !== 'running') return `it is ${batch.status}`;
  if (batch.same !== true) return 'its staging is not what it was';
  return code !== undefined && batch.code !== code ? 'it has another code now' : undefined;
}
