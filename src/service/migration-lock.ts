import type { DataSource } from 'typeorm';

type Lock = [take: string, give: string];

const NAME = 'nest-auth migrations';
/** The same for PostgreSQL, which wants a number: its first bytes. */
const NUMBER = Buffer.from(NAME).readUInt32BE();
/** Seconds that MySQL waits for it. */
const WAIT = 60;

const OF_MYSQL: Lock = [`SELECT GET_LOCK('${NAME}', ${WAIT})`, `SELECT RELEASE_LOCK('${NAME}')`];

const LOCKS: Partial<Record<string, Lock>> = {
  postgres: [`SELECT pg_advisory_lock(${NUMBER})`, `SELECT pg_advisory_unlock(${NUMBER})`],
  mysql: OF_MYSQL,
  mariadb: OF_MYSQL,
};

/**
 * Runs what several nodes start at once one after the other. Where the engine has no such lock (CockroachDB, Galera) they
 * still end in one schema: whoever comes second fails, tries again and finds it done.
 */
export async function oneAtATime(dataSource: DataSource, work: () => Promise<void>): Promise<void> {
  const lock = LOCKS[dataSource.options.type];
  if (!lock) return work();
  const runner = dataSource.createQueryRunner();
  try {
    const isTaken = await runner.query(lock[0]).then(
      () => true,
      () => false,
    );
    await work();
    if (isTaken) await runner.query(lock[1]);
  } finally {
    await runner.release();
  }
}
