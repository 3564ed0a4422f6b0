/** The states of a batch, as the ledger spells them. */
export type BatchStatus = 'pending' | 'running' | 'staged' | 'completed' | 'failed' | 'rolled_back';

/** Every legal move, with why it is legal; what is not here is refused. */
const MOVES: readonly { readonly from: BatchStatus; readonly to: BatchStatus; readonly because: string }[] = [
  { from: 'pending', to: 'running', because: 'the checks have begun' },
  { from: 'pending', to: 'failed', because: 'it never got as far as its checks' },
  { from: 'running', to: 'running', because: 'its process is gone, and another resumes it' },
  { from: 'failed', to: 'running', because: 'its staging was kept, and a run resumes it' },
  { from: 'running', to: 'staged', because: 'staging is complete and validated, nothing is published' },
  {
    from: 'running',
    to: 'completed',
    because: 'there was nothing to publish: live already holds these rows',
  },
  { from: 'running', to: 'failed', because: 'an error or a refusal ended it; live is untouched' },
  { from: 'staged', to: 'completed', because: 'the publish committed' },
  { from: 'staged', to: 'failed', because: 'staging was discarded, or can no longer be published' },
  {
    from: 'staged',
    to: 'rolled_back',
    because: 'it was a rehearsal: its publish was rolled back on purpose',
  },
  { from: 'completed', to: 'rolled_back', because: 'its publish was undone' },
];

/** The states that `to` can be reached from, for the UPDATE that makes the move. */
export function reachableFrom(to: BatchStatus): BatchStatus[] {
  return MOVES.filter((move) => move.to === to).map((move) => move.from);
}
