import type { Grant } from '../../../src/db/catalog/facts.js';
import { ident } from '../../../src/db/quote.js';

const role = (name: string | null) => (name === null ? 'PUBLIC' : ident(name));

/**
 * Statements that give `object` (`TABLE a.b`, `SEQUENCE a.b`) exactly the privileges `grants`, provided it
 * has only its owner's default ones now. Each is granted by the role that granted it before; a grantor
 * comes after whoever gave it the right to grant. Run in a transaction (SET LOCAL ROLE).
 */
export function grantStatements(
  object: string,
  owner: string,
  grants: readonly Grant[],
  ownerGrantsAreDefault: boolean,
): string[] {
  const statements: string[] = [];
  const own = (grant: Grant) => grant.grantee === owner && grant.grantor === owner && grant.column === null;
  if (!ownerGrantsAreDefault) statements.push(`REVOKE ALL ON ${object} FROM ${role(owner)}`);
  let waiting = grants.filter((grant) => !(ownerGrantsAreDefault && own(grant)));
  const able = new Set([owner]);
  while (waiting.length > 0) {
    const ready = waiting.filter((grant) => able.has(grant.grantor));
    // A grantor whose own right came by a way that is not listed goes last rather than never.
    const batch = ready.length > 0 ? ready : waiting;
    statements.push(...asStatements(object, owner, batch));
    for (const grant of batch) if (grant.grantable && grant.grantee !== null) able.add(grant.grantee);
    waiting = waiting.filter((grant) => !batch.includes(grant));
  }
  return statements;
}

function asStatements(object: string, owner: string, grants: readonly Grant[]): string[] {
  const groups = new Map<string, Grant[]>();
  for (const grant of grants) {
    const key = JSON.stringify([grant.grantor, grant.grantee, grant.grantable]);
    groups.set(key, [...(groups.get(key) ?? []), grant]);
  }
  return [...groups.values()].flatMap((group) => {
    const [{ grantor, grantee, grantable }] = group as [Grant];
    const privileges = group.map((grant) =>
      grant.column === null ? grant.privilege : `${grant.privilege} (${ident(grant.column)})`,
    );
    const statement = `GRANT ${privileges.join(', ')} ON ${object} TO ${role(grantee)}${grantable ? ' WITH GRANT OPTION' : ''}`;
    return grantor === owner ? [statement] : [`SET LOCAL ROLE ${role(grantor)}`, statement, 'RESET ROLE'];
  });
}

/** Statements that take every privilege on `object` from everybody but its owner. */
export function revokeStatements(object: string, owner: string, grants: readonly Grant[]): string[] {
  const others = [...new Set(grants.map((grant) => grant.grantee).filter((name) => name !== owner))];
  return others.map((name) => `REVOKE ALL ON ${object} FROM ${role(name)} CASCADE`);
}
