import { rmSync } from 'node:fs';
import sqlite3 from 'sqlite3';
import request from 'supertest';
import { expectError, type Service, startService } from '../service.js';

describe('a database that is away', () => {
  let service: Service;

  beforeEach(async () => {
    service = await startService();
    await service.client({ id: 'app' });
    await service.user('ada', 'correct horse');
  });
  afterEach(() => service.close());

  const signIn = () =>
    service.token({ client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse' });
  const away = { error: 'unavailable', reason: 'DATABASE_UNAVAILABLE', retryAfter: 1 } as const;

  it('that somebody else has locked is unavailable, and the session goes on afterwards', async () => {
    const { refresh_token } = (await signIn()).body;
    const refresh = () => service.token({ client_id: 'app', grant_type: 'refresh_token', refresh_token });
    const other = new sqlite3.Database(service.file);
    const run = (sql: string) =>
      new Promise<void>((resolve, reject) => other.exec(sql, (error) => (error ? reject(error) : resolve())));
    await run('BEGIN IMMEDIATE');
    expectError(await refresh(), { ...away, message: 'The database is away; try again shortly.' });
    await run('ROLLBACK');
    await new Promise((resolve) => other.close(resolve));
    expect((await refresh()).status).toBe(200);
  });

  it('that is lost for good is unavailable for every grant, and readiness says so', async () => {
    await service.sql('DROP TABLE auth_user');
    expectError(await signIn(), { error: 'internal', reason: 'INTERNAL' });
    expect((await request(service.url).get('/health/ready')).status).toBe(200);
    rmSync(service.file);
    expectError(await request(service.url).get('/health/ready'), {
      error: 'unavailable',
      reason: 'UNAVAILABLE',
      retryAfter: 1,
    });
    expect((await request(service.url).get('/health/live')).status).toBe(200);
  });
});
