import { copyFileSync, existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import request from 'supertest';
import sqlite3 from 'sqlite3';
import { AuthDatabase, WAL_LIMIT } from '../../src/base/database/auth-database.js';
import { DatabaseCare } from '../../src/base/database/database-care.js';
import { Sweeper } from '../../src/base/database/sweeper.js';
import { UsedJti } from '../../src/core/replay/used-jti.entity.js';
import { Session } from '../../src/core/sessions/session.entity.js';
import { SignOutService } from '../../src/core/sessions/sign-out.service.js';
import { signIn as signInAt } from '../fixtures.js';
import { expectError, type Service, startService } from '../service.js';

/** A connection of somebody else's to the file of the service. */
class Stranger {
  private readonly database: sqlite3.Database;

  constructor(file: string) {
    this.database = new sqlite3.Database(file);
  }

  run(sql: string): Promise<void> {
    return new Promise((resolve, reject) => this.database.exec(sql, (error) => (error ? reject(error) : resolve())));
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => this.database.close((error) => (error ? reject(error) : resolve())));
  }
}

const AWAY = { error: 'unavailable', reason: 'DATABASE_UNAVAILABLE', retryAfter: 1 } as const;
const NOT_READY = { error: 'unavailable', reason: 'UNAVAILABLE', retryAfter: 1 } as const;

/** What it answered, and after how many milliseconds. */
async function timed<T>(work: () => PromiseLike<T>): Promise<[T, number]> {
  const start = performance.now();
  return [await work(), performance.now() - start];
}

describe('a database that somebody else writes to', () => {
  let service: Service;
  let stranger: Stranger;
  let backend: object;

  beforeEach(async () => {
    service = await startService({ auth: { limitIp: false, limitAccount: false } });
    await service.client({ id: 'app' });
    backend = await service.client({ id: 'backend', public: false });
    await service.user('ada', 'correct horse');
    stranger = new Stranger(service.file);
  });
  afterEach(async () => {
    await stranger.close();
    await service.close();
  });

  const signIn = async () => (await signInAt(service)).refresh_token;
  const refresh = (refresh_token: string) =>
    service.token({ client_id: 'app', grant_type: 'refresh_token', refresh_token });
  const ready = () => request(service.url).get('/health/ready');
  const ofItself = () => service.token({ ...backend, grant_type: 'client_credentials' });

  it.each(['BEGIN IMMEDIATE', 'BEGIN EXCLUSIVE'])(
    'goes on reading while eight writers wait for it (%s), and none of them waits longer than its time',
    async (begin) => {
      const tokens = await Promise.all(Array.from({ length: 8 }, signIn));
      await stranger.run(begin);
      const writers = tokens.map((token) => timed(() => refresh(token)));
      for (let i = 0; i < 10; i++) {
        service.clock.advance(3); // past what is cached: it is read from the database
        const [answer, took] = await timed(ofItself);
        expect(answer.status).toBe(200);
        expect(took).toBeLessThan(1000);
      }
      for (const [answer, took] of await Promise.all(writers)) {
        expectError(answer, AWAY);
        expect(took).toBeGreaterThan(1800);
        expect(took).toBeLessThan(4000);
      }
      await stranger.run('ROLLBACK');
      for (const token of tokens) expect((await refresh(token)).status).toBe(200);
    },
  );

  it('writes as soon as the lock is gone, whoever has waited', async () => {
    const tokens = await Promise.all(Array.from({ length: 4 }, signIn));
    await stranger.run('BEGIN IMMEDIATE');
    const writers = tokens.map((token) => refresh(token));
    const signingIn = signInAt(service); // by TypeORM
    expect((await ofItself()).status).toBe(200);
    await stranger.run('COMMIT');
    expect((await Promise.all(writers)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await signingIn).toHaveProperty('refresh_token');
  });

  it('keeps what it has said is written, whatever the lock refused meanwhile', async () => {
    const database = service.app.get(AuthDatabase);
    const [insert, repository] = [
      database.statement('INSERT INTO auth_used_jti (hash, expires_at) VALUES (?, 9999999999999)'),
      database.repository(UsedJti),
    ];
    let done = false;
    const disturbing = (async () => {
      while (!done) {
        await stranger.run('BEGIN IMMEDIATE');
        await new Promise((resolve) => setTimeout(resolve, 4));
        await stranger.run('COMMIT');
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    const said: string[] = [];
    const write = async (n: number) => {
      for (let i = 0; i < 150; i++) {
        const hash = `${n}-${i}`;
        if (i % 2 === 0) await insert.run([hash]);
        else await repository.insert({ hash, expires_at: 9_999_999_999_999 });
        said.push(hash);
      }
    };
    await Promise.all([0, 1, 2, 3].map(write)).finally(() => (done = true));
    await disturbing;
    const there = (await service.sql<{ hash: string }>('SELECT hash FROM auth_used_jti')).map(({ hash }) => hash);
    expect(said.filter((hash) => !there.includes(hash))).toEqual([]);
    expect(there).toHaveLength(600);
  });

  it('is ready again once the lock is gone, and not while no write gets through', async () => {
    expect((await ready()).body).toMatchObject({ status: 'ok', info: { database: { status: 'up' } } });
    await stranger.run('BEGIN IMMEDIATE');
    const passing = ready().then((answer) => answer.status); // a short lock is nothing to take a service out for
    await ofItself();
    await stranger.run('COMMIT');
    expect(await passing).toBe(200);
    await stranger.run('BEGIN IMMEDIATE');
    const [[answer], took] = await timed(() => Promise.all([ready(), ready(), ready()]));
    expectError(answer, NOT_READY);
    expect(took).toBeLessThan(4000);
    expect((await request(service.url).get('/health/live')).status).toBe(200);
    await stranger.run('ROLLBACK');
    expect((await ready()).status).toBe(200);
  });
});

describe('readiness goes the way that requests go', () => {
  let service: Service;

  beforeEach(async () => {
    service = await startService();
  });
  afterEach(() => service.close());

  const ready = () => request(service.url).get('/health/ready');
  const said = () => service.log.filter(({ msg }) => msg === 'not ready').map(({ error }) => error);

  it('503 where the database is read-only', async () => {
    const own = service.app.get(AuthDatabase).repository(Session);
    await own.query('PRAGMA query_only = ON');
    expectError(await ready(), NOT_READY);
    await own.query('PRAGMA query_only = OFF');
    expect((await ready()).status).toBe(200);
  });

  it.each(['', '-wal', '-shm'])(
    '503 where the database file%s was deleted, and the log says what to do',
    async (end) => {
      rmSync(service.file + end);
      expectError(await ready(), NOT_READY);
      expect(said()).toEqual(['Error: a file of the database was deleted or replaced: restart the service']);
    },
  );

  it('503 where another file was put in its place', async () => {
    copyFileSync(service.file, `${service.file}.copy`);
    renameSync(`${service.file}.copy`, service.file);
    expectError(await ready(), NOT_READY);
    expect(said()).toHaveLength(1);
  });
});

describe('care for the database of a running service', () => {
  let service: Service;
  let care: DatabaseCare;

  beforeEach(async () => {
    service = await startService({ auth: { limitIp: false, limitAccount: false } });
    await service.client({ id: 'app' });
    await service.user('ada', 'correct horse');
    care = service.app.get(DatabaseCare);
  });
  afterEach(() => service.close());

  const refresh = (refresh_token: string, at = service) =>
    at.token({ client_id: 'app', grant_type: 'refresh_token', refresh_token });
  /** Rows of a stranger's, so many megabytes of them. */
  const fill = async (megabytes: number) => {
    const stranger = new Stranger(service.file);
    await stranger.run('CREATE TABLE IF NOT EXISTS junk (bytes blob)');
    for (let n = 0; n < megabytes; n++) await stranger.run('INSERT INTO junk VALUES (randomblob(1000000))');
    await stranger.close();
  };

  it('backs up under load into a file for its owner alone, and whoever was signed in goes on with a restored one', async () => {
    const file = `${service.file}.backup`;
    await fill(20);
    let token = (await signInAt(service)).refresh_token;
    let done = false;
    const load = (async () => {
      while (!done) token = ((await refresh(token)).body as { refresh_token: string }).refresh_token;
    })();
    const bytes = await care.backup(file).finally(() => (done = true));
    await load;
    expect(bytes).toBeGreaterThan(20_000_000);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(dirname(file)).filter((name) => name.startsWith('.'))).toEqual([]);
    const restored = await startService({ settings: { databaseUrl: `sqlite:${file}` } });
    expect((await refresh(token, restored)).status).toBe(200); // newer than the backup
    await restored.close();
  });

  it('replaces no file with a backup, and leaves none that is not whole', async () => {
    await expect(care.backup(service.file)).rejects.toThrow('exists already');
    const file = `${service.file}.backup`;
    await service.app.get(AuthDatabase).dataSource.destroy();
    await expect(care.backup(file)).rejects.toThrow();
    expect(existsSync(file)).toBe(false);
    expect(readdirSync(dirname(file)).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('keeps the write-ahead log bounded after a reader that took its time', async () => {
    const log = () => statSync(`${service.file}-wal`).size;
    const reader = new Stranger(service.file);
    await reader.run('BEGIN; SELECT count(*) FROM sqlite_master');
    await fill(20);
    expect(log()).toBeGreaterThan(20_000_000);
    await service.app.get(Sweeper).sweep(); // while somebody reads from it
    expect((await signInAt(service)).access_token).toBeDefined();
    await reader.run('COMMIT');
    await reader.close();
    await service.app.get(Sweeper).sweep();
    expect(log()).toBeLessThan(WAL_LIMIT);
    expect((await signInAt(service)).access_token).toBeDefined();
  });

  it('shrinks the file by what deleted rows have left in it', async () => {
    await fill(10);
    const { refresh_token } = await signInAt(service);
    const stranger = new Stranger(service.file);
    await stranger.run('DELETE FROM junk');
    await stranger.close();
    const { before, after } = await care.shrink();
    expect(before).toBeGreaterThan(10_000_000);
    expect(after).toBeLessThan(2_000_000);
    expect(statSync(service.file).size).toBe(after);
    expect((await refresh(refresh_token)).status).toBe(200);
    expect((await request(service.url).get('/health/ready')).status).toBe(200);
  });
});

it("looks for one user's sessions at a client by the user, for the client has everybody's", async () => {
  const service = await startService({ auth: { limitAccount: { requests: 1, seconds: 60 } } });
  await service.client({ id: 'app' });
  const sub = await service.user('ada', 'correct horse');
  const { driver } = service.app.get(AuthDatabase).dataSource;
  const statements: string[] = [];
  (driver as unknown as { databaseConnection: sqlite3.Database }).databaseConnection.on('trace', (sql: string) => {
    if (/^(SELECT|UPDATE).*auth_session/.test(sql)) statements.push(sql);
  });
  const phone = { 'x-device-id': 'phone' };
  await signInAt(service, {}, phone);
  await signInAt(service, { password: 'wrong' });
  // strangers have spent the account's attempts: is it a device of its user's?
  expect(await signInAt(service, {}, phone)).toHaveProperty('refresh_token');
  expect(await service.app.get(SignOutService).end({ sub, clientId: 'app' })).toBe(2);
  const plans = [];
  for (const sql of statements) plans.push(...(await service.sql<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)));
  const used = plans.map(({ detail }) => /ix_auth_session_\w+/.exec(detail)?.[0]);
  expect(used.filter((index) => index === 'ix_auth_session_device')).toHaveLength(2);
  expect(used).not.toContain('ix_auth_session_client');
  await service.close();
});
