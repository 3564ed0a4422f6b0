import type pg from 'pg';
import { connectionErrors } from '../core/errors/catalogue/connection.js';
import { PgDatabase } from './connect.js';

/** Stands where a database is asked for, and none is named: whoever asks is told so. Throws usage `no_database_named`. */
export class NoDatabase extends PgDatabase {
  constructor() {
    super({ described: 'none', from: 'nobody', bare: true });
  }

  override async connect(): Promise<pg.Client> {
    throw connectionErrors.no_database_named.asked();
  }

  override async spare(): Promise<pg.Client> {
    throw connectionErrors.no_database_named.asked();
  }

  override async stop(_how: 'cancel' | 'end', why?: unknown): Promise<void> {
    this.hurry(why);
  }
}
