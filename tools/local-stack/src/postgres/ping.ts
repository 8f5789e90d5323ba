import pg from 'pg';

/** Resolves when a server answers a query at that URL; rejects with the reason otherwise. */
export async function ping(url: string): Promise<void> {
  await query(url, 'select 1');
}

/** Runs one statement on a connection of its own and returns its rows. */
export async function query<Row extends Record<string, unknown>>(url: string, text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  // An error between queries (the server going away) comes as an event, and an unheard one would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}
