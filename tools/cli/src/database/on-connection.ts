import { CONNECTION_TIMEOUTS } from '@tidegate/database/connection-timeouts';
import pg from 'pg';
import { Failure, isConnectionLost } from '../exit.js';

/** Does work on one connection. Throws a Failure `database.lost` when it is lost meanwhile; what `work` throws otherwise goes through. */
export async function onConnection<R>({ url, name }: { url: string; name: string }, work: (client: pg.Client) => Promise<R>): Promise<R> {
  const client = new pg.Client({ connectionString: url, application_name: name, ...CONNECTION_TIMEOUTS });
  let broken: Error | undefined;
  // It may be lost while no statement waits for its answer.
  client.on('error', (error) => (broken ??= error));
  await client.connect();
  try {
    return await work(client);
  } catch (error) {
    if (error instanceof Failure || (broken === undefined && !isConnectionLost(error))) throw error;
    // What the database itself says is more than that the connection is gone, which comes after it.
    const why = error instanceof pg.DatabaseError ? error : (broken ?? (error as Error));
    throw new Failure('database.lost', `The connection to the database was lost (${why.message}).`);
  } finally {
    await client.end();
  }
}
