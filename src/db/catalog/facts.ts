import type { Distribution } from './distribution.js';

/** One entry of an access control list, as aclexplode gives it. */
export interface Grant {
  readonly grantor: string;
  /** null: PUBLIC. */
  readonly grantee: string | null;
  readonly privilege: string;
  readonly grantable: boolean;
  /** The column that it is on, or null for the whole object. */
  readonly column: string | null;
}

/** One column. SQL fragments (`type`, `default`, `collation`) are fully qualified. */
export interface ColumnFacts {
  readonly name: string;
  /** With its modifier: `numeric(10,2)`. */
  readonly type: string;
  readonly notNull: boolean;
  /** The default's expression, or the generation expression where `generated` is not ''. */
  readonly default: string | null;
  /** '' plain, 's' stored, 'v' virtual. */
  readonly generated: string;
  /** '' none, 'a' GENERATED ALWAYS, 'd' BY DEFAULT. */
  readonly identity: string;
  readonly collation: string | null;
  readonly storage: string;
  /** '' default, 'p' pglz, 'l' lz4. */
  readonly compression: string;
  /** Statistics target; -1 is the server's default. */
  readonly statistics: number;
  readonly options: readonly string[];
  readonly comment: string | null;
  /** How many dimensions an array was declared with, which the server keeps and heeds not. */
  readonly dimensions: number;
  /** Generated columns are computed from it. */
  readonly feeds: boolean;
}

/** A sequence that a column owns (serial) or is (identity), or that a default draws from. */
interface SequenceFacts {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly column: string;
  readonly kind: 'serial' | 'identity' | 'used';
  readonly type: string;
  readonly start: string;
  readonly increment: string;
  readonly min: string;
  readonly max: string;
  readonly cache: string;
  readonly cycle: boolean;
  readonly grants: readonly Grant[];
  /** Whether the list is what a new sequence has. */
  readonly grantsAreDefault: boolean;
  readonly comment: string | null;
}

interface ConstraintFacts {
  readonly name: string;
  /** c check, f foreign key, n not null, p primary key, u unique, x exclusion. */
  readonly type: string;
  /** pg_get_constraintdef: ends in NOT VALID where it is not validated. */
  readonly definition: string;
  readonly validated: boolean;
  readonly enforced: boolean;
  readonly deferrable: boolean;
  readonly deferred: boolean;
  /** Made by WITHOUT OVERLAPS (18): built by its definition, not from an index. */
  readonly period: boolean;
  /** For p, u, x: the index behind it (of the same name). */
  readonly comment: string | null;
  /** For f: the referenced table. */
  readonly references: {
    readonly oid: number;
    readonly schema: string;
    readonly table: string;
    readonly key: ReferencedKey | null;
  } | null;
}

/** The unique index of its parent that a foreign key goes by: of several over the same columns it is one of choice. */
export interface ReferencedKey {
  readonly index: string;
  /** It is the primary key's, and the foreign key names its columns in their order. */
  readonly primary: boolean;
}

export interface IndexFacts {
  readonly name: string;
  /** pg_get_indexdef, without tablespace. */
  readonly definition: string;
  readonly unique: boolean;
  /** The columns that a foreign key must name to find it, sorted; null where it is none that a key can refer to. */
  readonly referable: readonly string[] | null;
  readonly valid: boolean;
  /** The constraint that owns it and its type, or null. */
  readonly constraint: string | null;
  readonly replicaIdentity: boolean;
  readonly clustered: boolean;
  readonly tablespace: string | null;
  /** Statistics targets of expression columns: [position from 1, target]. */
  readonly statistics: readonly (readonly [number, number])[];
  readonly comment: string | null;
}

/** A trigger or rule: its definition verbatim. `enabled` is O, D, R or A as in pg_trigger.tgenabled. */
export interface CodeFacts {
  readonly name: string;
  readonly definition: string;
  readonly enabled: string;
  readonly comment: string | null;
  /** The comment on the constraint that a constraint trigger is. */
  readonly constraintComment?: string | null;
}

export interface PolicyFacts {
  readonly name: string;
  readonly permissive: boolean;
  /** ALL, SELECT, INSERT, UPDATE or DELETE. */
  readonly command: string;
  /** Role names; PUBLIC as null. */
  readonly roles: readonly (string | null)[];
  readonly using: string | null;
  readonly check: string | null;
  readonly comment: string | null;
}

/** An extended statistics object. */
export interface StatisticsFacts {
  readonly schema: string;
  readonly name: string;
  readonly definition: string;
  readonly target: number;
  readonly owner: string;
  readonly comment: string | null;
}

/** Everything that the catalog says about one table itself, without what depends on it. */
export interface TableFacts {
  readonly oid: number;
  readonly schema: string;
  readonly table: string;
  readonly owner: string;
  /** pg_class.relkind. */
  readonly kind: string;
  /** p permanent, u unlogged, t temporary. */
  readonly persistence: string;
  readonly accessMethod: string | null;
  readonly tablespace: string | null;
  /** `name=value`. */
  readonly options: readonly string[];
  readonly toastOptions: readonly string[];
  /** d default, n nothing, f full, i index. */
  readonly replicaIdentity: string;
  readonly rowSecurity: boolean;
  readonly forceRowSecurity: boolean;
  readonly comment: string | null;
  /** The name of its row type's array type: `_t`, or another where that was taken. */
  readonly arrayType: string | null;
  /** The comment on its row type. */
  readonly typeComment: string | null;
  /** Privileges on its row type; null where nobody has ever changed them. */
  readonly typeGrants: readonly Grant[] | null;
  readonly grants: readonly Grant[];
  /** Whether the list is what a new table of this owner has without default privileges. */
  readonly ownerGrantsAreDefault: boolean;
  readonly columns: readonly ColumnFacts[];
  readonly sequences: readonly SequenceFacts[];
  readonly constraints: readonly ConstraintFacts[];
  readonly indexes: readonly IndexFacts[];
  readonly triggers: readonly CodeFacts[];
  readonly rules: readonly CodeFacts[];
  readonly policies: readonly PolicyFacts[];
  readonly statistics: readonly StatisticsFacts[];
  /** How Citus has it over its nodes; null where it is an ordinary table. */
  readonly distribution: Distribution | null;
}
