/** Why an error does not say itself what state things are in. */
export class Unsaid {
  constructor(readonly why: string) {}
}

/** What state things are in once an error is thrown; one wording for one state. */
export type State = string | Unsaid;

/** Nothing at all was done yet. */
export const NOTHING_DONE = 'nothing was read or written';
/** Neither the database nor a file has anything new. */
export const NOTHING_WRITTEN = 'nothing was written';
/** Whatever the command is about is what it was. */
export const NOTHING_CHANGED = 'nothing was changed';
/** Rows may be in staging; none is live. */
export const NOTHING_PUBLISHED = 'nothing was published';
/** Of whatever was to be published. */
export const UNTOUCHED = 'live tables are untouched';
/** Of a publish that was under way. */
export const NOT_LIVE = 'nothing was published; live tables are untouched';
/** The same, of a batch whose staging can be published yet. */
export const STAGING_KEPT = 'live tables are untouched; staging is kept';
/** Of an undo. */
export const NOTHING_UNDONE = 'nothing was undone';
export const OLD_STILL_THERE = 'they are still there';
export const STARTED_NOTHING = 'nothing was started';
export const DATA_UNTOUCHED = 'the data was not touched';
export const GOES_ON = 'it goes on running';
export const STILL_THERE = 'it is still there';

/**
 * Thrown by whoever reads, for whichever command: a check, a dry run and a batch leave different things behind, and each
 * says it as it ends.
 */
export const AS_THE_COMMAND_ENDS = new Unsaid(
  'said by the command as it ends, which knows how far it has come',
);
/** Nothing was begun that could have left anything. */
export const NOTHING_BEGUN = new Unsaid('nothing was begun that could have left anything behind');
