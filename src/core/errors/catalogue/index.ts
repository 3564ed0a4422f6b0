import { connectionErrors } from './connection.js';
import { embeddedErrors } from './embedded.js';
import { ledgerErrors } from './ledger.js';

type Topics = readonly [typeof connectionErrors, typeof embeddedErrors, typeof ledgerErrors];

type CodesOf<Topic> = Topic extends unknown ? keyof Topic : never;

/** A code of an error of Sluice's own. Pipelines have others besides. */
export type ErrorCode = CodesOf<Topics[number]>;

const all: Topics = [connectionErrors, embeddedErrors, ledgerErrors];

/** All topics: what docs/errors.md is made from. Who throws imports the topic alone. */
export const topics: readonly Readonly<Record<string, unknown>>[] = all;
