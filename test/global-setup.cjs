const SERVERS = { TEST_POSTGRES_URL: 'PostgreSQL', TEST_MYSQL_URL: 'MySQL', TEST_REDIS_URL: 'Redis' };

/** Says which tests are skipped, and gives the databases of this run a name. */
module.exports = () => {
  if (process.env.AUTH_TEST_RUN) return;
  process.env.AUTH_TEST_RUN = process.pid.toString(36);
  const engines = ['SQLite', process.env.TEST_POSTGRES_URL && 'PostgreSQL', process.env.TEST_MYSQL_URL && 'MySQL'];
  console.log(`\nOn ${engines.filter(Boolean).join(', ')}.`);
  if (!process.env.TEST_HOSTS) {
    console.log('\nHosts: Nest 12 on Express and Fastify, TypeORM 0.3, SQLite. The others: npm run test:hosts.');
  }
  for (const [name, what] of Object.entries(SERVERS)) {
    if (!process.env[name]) console.log(`\nSkipped: the tests on ${what}, for ${name} is not set.`);
  }
};
