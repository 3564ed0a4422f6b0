/** The strategies of btree. */
const STRATEGY = { '<': 1, '=': 3 } as const;

/**
 * SQL for the operator by which values of a type are told apart, or put in order: that of its default operator class,
 * with its schema (`OPERATOR(schema.=)`), since along another search_path citext, say, would be compared as text. NULL for
 * types that have none (json, point, xml). `type`: the alias of a row of pg_type, a domain's base. Pure.
 */
export function ownOperator(type: string, name: keyof typeof STRATEGY): string {
  return `(
    SELECT format('OPERATOR(%I.%s)', opn.nspname, op.oprname)
    FROM pg_opclass oc
    JOIN pg_amop am ON am.amopfamily = oc.opcfamily AND am.amopstrategy = ${STRATEGY[name]}
                   AND am.amoplefttype = oc.opcintype AND am.amoprighttype = oc.opcintype
    JOIN pg_operator op ON op.oid = am.amopopr
    JOIN pg_namespace opn ON opn.oid = op.oprnamespace
    CROSS JOIN LATERAL (SELECT CASE
        WHEN oc.opcintype = ${type}.oid THEN 1
        WHEN oc.opcintype = CASE
            WHEN ${type}.typtype = 'e' THEN 'anyenum'::regtype
            WHEN ${type}.typcategory = 'A' AND ${type}.typelem <> 0 THEN 'anyarray'::regtype
            WHEN ${type}.typtype = 'r' THEN 'anyrange'::regtype
            WHEN ${type}.typtype = 'm' THEN 'anymultirange'::regtype END THEN 2
        WHEN EXISTS (SELECT FROM pg_cast k WHERE k.castsource = ${type}.oid AND k.casttarget = oc.opcintype
                     AND k.castmethod = 'b' AND k.castcontext = 'i') THEN 3 END AS rank) fit
    WHERE oc.opcmethod = 403 AND oc.opcdefault AND fit.rank IS NOT NULL
      AND NOT (${type}.typcategory = 'A' AND ${type}.typelem <> 0 AND NOT EXISTS (
            SELECT FROM pg_opclass e WHERE e.opcmethod = 403 AND e.opcdefault AND (e.opcintype = ${type}.typelem
              OR EXISTS (SELECT FROM pg_type et WHERE et.oid = ${type}.typelem AND et.typtype IN ('e', 'd', 'r', 'c', 'm'))
              OR EXISTS (SELECT FROM pg_cast k WHERE k.castsource = ${type}.typelem AND k.casttarget = e.opcintype
                         AND k.castmethod = 'b' AND k.castcontext = 'i'))))
    ORDER BY fit.rank LIMIT 1)`;
}
