import request from 'supertest';
import { describeOnServer, ENGINE, itOnPostgres, rowsOf, takeDatabase, type TestDatabase } from './databases.js';
import { signIn } from './fixtures.js';
import { expectError, type Service, startService } from './service.js';
import { TcpProxy } from './tcp-proxy.js';

const AWAY = { error: 'unavailable', reason: 'DATABASE_UNAVAILABLE', retryAfter: 1 } as const;

/** Ends every connection of others to this database, as a failover does. */
const CUT_OFF = {
  postgres:
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  mysql: '',
};

describeOnServer('a database server that goes away and comes back', () => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let service: Service;
  let token: string;

  beforeAll(async () => {
    database = await takeDatabase();
    const url = new URL(database.url);
    proxy = await TcpProxy.to(url.hostname, Number(url.port));
    url.port = String(proxy.port);
    service = await startService({
      auth: { limitIp: false, limitAccount: false },
      settings: { databaseUrl: url.href, databasePool: 4 },
    });
    await service.client({ id: 'app' });
    await service.user('ada', 'correct horse');
    token = (await signIn(service)).refresh_token;
  });
  afterAll(async () => {
    proxy.open();
    await service.close();
    proxy.close();
    database.release();
  });

  const refresh = () => service.token({ client_id: 'app', grant_type: 'refresh_token', refresh_token: token });
  const ready = async () => (await request(service.url).get('/health/ready')).status;
  /** Refreshes as a client does: again, until somebody answers. */
  const goOn = async () => {
    for (let attempt = 0; attempt < 50; attempt++) {
      const answer = await refresh();
      if (answer.status === 200) return void (token = answer.body.refresh_token as string);
      expectError(answer, AWAY);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('it does not come back');
  };

  it('answers `unavailable` with Retry-After while it is away, says so to readiness, and logs nobody out', async () => {
    await goOn();
    for (let outage = 0; outage < 3; outage++) {
      proxy.cut();
      expectError(await refresh(), AWAY);
      expectError(
        await service.token({ client_id: 'app', grant_type: 'password', username: 'ada', password: 'x' }),
        AWAY,
      );
      expect(await ready()).toBe(503);
      expect((await request(service.url).get('/health/live')).status).toBe(200);
      proxy.open();
      await goOn();
      expect(await ready()).toBe(200);
    }
  });

  it('heals where only its connections are ended (57P01, ER_CONNECTION_KILLED)', async () => {
    await Promise.all([goOn(), ready(), ready(), ready()]);
    if (ENGINE === 'postgres') await rowsOf(database.url, CUT_OFF.postgres);
    else {
      const name = new URL(database.url).pathname.slice(1);
      const others = await rowsOf<{ id: string }>(
        database.url,
        `SELECT ID AS id FROM information_schema.PROCESSLIST WHERE DB = '${name}' AND ID <> CONNECTION_ID()`,
      );
      for (const { id } of others) await rowsOf(database.url, `KILL ${id}`).catch(() => undefined);
    }
    await goOn();
    expect(await ready()).toBe(200);
  });

  itOnPostgres('lets go of a server that has become a read-only standby (25006)', async () => {
    const name = new URL(database.url).pathname.slice(1);
    const server = new URL('/postgres', database.url).href;
    await rowsOf(server, `ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    await rowsOf(database.url, CUT_OFF.postgres); // who comes back comes to the standby
    const answers = [];
    for (let i = 0; i < 12; i++) answers.push(await refresh());
    expect(answers.at(-1)!.status).toBe(503);
    await rowsOf(server, `ALTER DATABASE ${name} RESET default_transaction_read_only`);
    await goOn();
    for (let i = 0; i < 8; i++) await goOn(); // no connection to the standby is left
    expect(await ready()).toBe(200);
  });
});
