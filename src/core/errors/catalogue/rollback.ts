import { again, command, type Next } from '../../next.js';
import { misuse, refusal, topic } from './entry.js';
import { NOTHING_CHANGED } from './state.js';

/** Errors of publishing what is staged, and of taking back what was published. */
export const rollbackErrors = topic({
  not_staged: {
    published: misuse(({ batch }: { batch: string }) => ({
      says: `batch ${batch} is published already`,
      next: [command('status', [batch]), command('rollback', [batch], {}, { note: 'put everything back' })],
    })),
    other: misuse(({ batch, status, reload }: { batch: string; status: string; reload: Next }) => ({
      says: `batch ${batch} is ${status}: there is no staging to publish`,
      next: reload,
    })),
  },
  rolled_back: {
    batch: misuse(({ batch }: { batch: string }) => ({
      says: `batch ${batch} is rolled back already`,
      next: command('status', [batch]),
    })),
    table: misuse(({ batch, table }: { batch: string; table: string }) => ({
      says: `${table} of batch ${batch} is rolled back already`,
      table,
      next: command('status', [batch]),
    })),
  },
  nothing_published: misuse(({ batch, status }: { batch: string; status: string }) => ({
    says: `batch ${batch} is ${status}: it published nothing that could be taken back`,
    next: command('status', [batch]),
  })),
  not_kept: {
    /** `next`: where its rows may be all the same. */
    batch: refusal(({ batch, next }: { batch: string; next: Next }) => ({
      says: `what batch ${batch} replaced or changed is not kept any more`,
      state: NOTHING_CHANGED,
      next,
    })),
    behindViews: refusal(() => ({
      says: 'the old tables behind the views were dropped: nothing could take their names',
      state: NOTHING_CHANGED,
      next: 'to take the views away for good: DROP VIEW, once nobody uses the old names any more',
    })),
  },
  /** `latest`: the batch that is to be rolled back first. */
  built_upon: refusal(({ batch, latest }: { batch: string; latest: string }) => ({
    says: `later batches have published to the tables of batch ${batch}`,
    state: NOTHING_CHANGED,
    next: command('rollback', [latest], {}, { lead: 'roll those back first, the latest first' }),
  })),
  /** `lost`: what would become of them. */
  written_since: refusal(({ lost }: { lost: string }) => ({
    says: `rows were written since the batch was published; ${lost}`,
    state: NOTHING_CHANGED,
    next: again(
      { flags: { discardWrites: true } },
      { lead: 'save those rows elsewhere; then, to lose them' },
    ),
  })),
  no_views: misuse(({ batch }: { batch: string }) => ({
    says: `batch ${batch} has no views under old names`,
    next: command('status', [batch]),
  })),
  views_in_use: refusal(() => ({
    says: 'something was built on the views under the old names, and would go with them',
    state: NOTHING_CHANGED,
    next: 'drop it first, and make it again afterwards on the table that comes back',
  })),
  view_in_use: refusal(({ view }: { view: string }) => ({
    says: `the view ${view}, which the batch made, is used by others`,
    state: NOTHING_CHANGED,
    next: again({}, { lead: 'drop those first, or make them without it; then' }),
  })),
});
