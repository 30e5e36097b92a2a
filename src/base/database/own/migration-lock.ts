import type { DataSource } from 'typeorm';

type Lock = [take: string[], give: string];

const NAME = 'nest-auth migrations';
/** The same for PostgreSQL, which wants a number: its first bytes. */
const NUMBER = Buffer.from(NAME).readUInt32BE();
/** Seconds that MySQL waits for it. */
const WAIT = 60;

const OF_MYSQL: Lock = [[`SELECT GET_LOCK('${NAME}', ${WAIT})`], `SELECT RELEASE_LOCK('${NAME}')`];

const LOCKS: Partial<Record<string, Lock>> = {
  // a transaction's, so that a pooler that hands out connections by the transaction gives it back where it was taken
  postgres: [['BEGIN', `SELECT pg_advisory_xact_lock(${NUMBER})`], 'COMMIT'],
  mysql: OF_MYSQL,
  mariadb: OF_MYSQL,
};

/** For a file, which has no such lock: a node that had read the list before another's migration cannot record it again. */
const RECORDED_ONCE = 'uq_migrations_name';

/**
 * Runs what several nodes start at once one after the other. Where the engine has no such lock (SQLite, CockroachDB,
 * Galera) they still end in one schema: whoever comes second fails, tries again and finds it done.
 */
export async function oneAtATime(dataSource: DataSource, work: () => Promise<void>): Promise<void> {
  const lock = LOCKS[dataSource.options.type];
  if (!lock) {
    await recordOnce(dataSource);
    return work();
  }
  const [take, give] = lock;
  const runner = dataSource.createQueryRunner();
  const done = () => runner.query(give).catch(() => undefined); // lost with its connection, it is given back all the same
  try {
    for (const sql of take) await runner.query(sql).catch(() => undefined);
    await work();
  } finally {
    await done();
    await runner.release();
  }
}

async function recordOnce(dataSource: DataSource): Promise<void> {
  const found = await dataSource.query<object[]>(`SELECT 1 FROM sqlite_master WHERE name = '${RECORDED_ONCE}'`);
  if (found.length > 0) return;
  await dataSource.showMigrations(); // makes the table where there is none
  await dataSource.query('DELETE FROM migrations WHERE id NOT IN (SELECT min(id) FROM migrations GROUP BY name)');
  await dataSource.query(`CREATE UNIQUE INDEX IF NOT EXISTS ${RECORDED_ONCE} ON migrations (name)`);
}
