import { again } from '../../next.js';
import { failure, misuse, topic } from './entry.js';
import { NOTHING_DONE, NOTHING_PUBLISHED } from './state.js';

interface Member {
  readonly input: string;
  readonly member: string;
}

/** Errors of zip archives, and of what is packed as one. */
export const zipErrors = topic({
  corrupt_zip: failure(
    ({ input, member, why }: Omit<Member, 'member'> & { member?: string; why: string }) => ({
      says: `${input} is damaged${member === undefined ? '' : `, in ${member}`}: ${why}`,
      input,
      state: NOTHING_PUBLISHED,
      next: again({}, { lead: 'fetch or write it again, then' }),
    }),
  ),
  zip_encrypted: misuse(({ input, member }: Member) => ({
    says: `${member} in ${input} is encrypted`,
    input,
    state: NOTHING_DONE,
    next: 'unpack it by the program that has its password, and name the file that it makes',
  })),
  zip_method: misuse(({ input, member, method }: Member & { method: number }) => ({
    says: `${member} in ${input} is packed by method ${method}, and stored and deflated members are read`,
    input,
    state: NOTHING_DONE,
    next: 'unpack it by the program that made it, and name the file that it makes',
  })),
});
