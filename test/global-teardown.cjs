const { drop } = require('./database-server.cjs');

/** Drops the databases of this run. */
module.exports = async () => {
  for (const name of ['TEST_POSTGRES_URL', 'TEST_MYSQL_URL']) {
    const url = process.env[name];
    if (url) await drop(new URL(url), `auth_test_${process.env.AUTH_TEST_RUN}_`);
  }
};
