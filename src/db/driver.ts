import type { Client } from 'pg';
import type { Session } from '../core/run.js';

const isClient = (session: Session): session is Session & Client => 'connection' in session;

/** What a session is to the driver: authors of pipelines see less of it, so that they need none of the driver's types. */
export async function driverClient(opening: Promise<Session>): Promise<Client> {
  const session = await opening;
  if (isClient(session)) return session;
  await session.end();
  throw new TypeError('a session that is none of the driver’s');
}
