import pg from 'pg';

/** Somebody who looks at live all the time. */
export interface Reader {
  /** Looks so far, and what was seen that is neither old nor new. */
  readonly looks: () => number;
  readonly torn: () => readonly string[];
  stop(): Promise<void>;
}

/**
 * Asks `sql` again and again, over new sessions where one is lost. Every answer must be one of `allowed`, and
 * once the last of them was seen (new), none before it (old) may come again.
 */
export function startReader(url: () => string, sql: string, allowed: readonly string[]): Reader {
  let going = true;
  let looks = 0;
  let newest = 0;
  const torn: string[] = [];
  const look = async () => {
    const client = new pg.Client({ connectionString: url() });
    client.on('error', () => {});
    try {
      await client.connect();
      while (going) {
        const answer = JSON.stringify((await client.query(sql)).rows);
        looks += 1;
        const which = allowed.indexOf(answer);
        if (which < newest) torn.push(answer);
        newest = Math.max(newest, which);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    } catch (error) {
      // Killed sessions and servers are what this is about; anything else is a finding.
      const { code = '', message } = error as { code?: string; message: string };
      const lost = /^(57P|08|ECONN|EPIPE)/.test(code) || /terminated|not queryable|closed/i.test(message);
      if (!lost) torn.push(`${code} ${message}`);
    } finally {
      await client.end().catch(() => {});
    }
  };
  const loop = (async () => {
    while (going) {
      await look();
      if (going) await new Promise((resolve) => setTimeout(resolve, 30));
    }
  })();
  return {
    looks: () => looks,
    torn: () => torn,
    async stop() {
      going = false;
      await loop;
    },
  };
}
