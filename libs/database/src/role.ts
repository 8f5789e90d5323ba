import pg from 'pg';

/**
 * Creates the login role of a service, or gives it the password, and lets it see its own schema only. Roles belong to the whole server and databases
 * may be migrated beside each other there, hence the setting per database and the test of each step.
 */
export async function ensureRole(
  client: pg.Client,
  { schema, role, password }: { schema: string; role: string; password: string },
): Promise<void> {
  const name = pg.escapeIdentifier(role);
  const secret = pg.escapeLiteral(password);
  const found = await client.query<{ right: boolean }>(
    'SELECT rolcanlogin AND NOT (rolsuper OR rolcreatedb OR rolcreaterole OR rolinherit) AS right FROM pg_roles WHERE rolname = $1',
    [role],
  );
  const attributes = 'LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT';
  // Only a superuser may so much as name these of a role that exists; the owner of a managed database may set its password.
  const change = found.rows[0]?.right === true ? '' : attributes;
  await client.query(`${found.rowCount === 0 ? 'CREATE' : 'ALTER'} ROLE ${name} ${change} PASSWORD ${secret}`);
  const { rows } = await client.query<{ name: string }>('SELECT current_database() AS name');
  const database = pg.escapeIdentifier(rows[0]?.name ?? '');
  await client.query(`ALTER ROLE ${name} IN DATABASE ${database} SET search_path = ${pg.escapeIdentifier(schema)}`);
  await client.query(`GRANT CONNECT ON DATABASE ${database} TO ${name}`);
}
