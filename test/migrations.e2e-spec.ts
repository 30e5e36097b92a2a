import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { bringUpToDate } from '../src/base/database/own/bring-up-to-date.js';
import { dataSourceOptions } from '../src/base/database/own/data-source-options.js';
import { oneAtATime } from '../src/base/database/own/migration-lock.js';
import { authMigrations, authSchema } from '../src/wings.js';
import { itOnServer, onSqlite, takeDatabase, type TestDatabase } from './databases.js';

describe('the schema of the service', () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await takeDatabase();
    if (onSqlite) return;
    const old = await new DataSource(await optionsOf(database.url)).initialize();
    await old.dropDatabase();
    await old.destroy();
  });
  afterEach(() => database.release());

  const optionsOf = (url: string) => dataSourceOptions(url, authSchema(), 2);
  const open = async () => {
    const options = await optionsOf(database.url);
    await bringUpToDate(options);
    return new DataSource(options).initialize();
  };

  it('is one and whole where several nodes start at once on an empty database', async () => {
    const nodes = await Promise.all(Array.from({ length: 4 }, open));
    const rows = await nodes[0]!.query<{ name: string }[]>('SELECT name FROM migrations ORDER BY id');
    expect(rows.map(({ name }) => name)).toEqual(authMigrations.map(({ name }) => name));
    const { upQueries } = await nodes[0]!.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
    await Promise.all(nodes.map((node) => node.destroy()));
  });

  itOnServer('is changed by one node at a time, where the server has locks', async () => {
    const [one, other] = [await open(), await open()];
    const steps: string[] = [];
    const work = (name: string) => async () => {
      steps.push(`${name} begins`);
      await sleep(100);
      steps.push(`${name} ends`);
    };
    await Promise.all([oneAtATime(one, work('a')), oneAtATime(other, work('b'))]);
    expect(steps.map((step) => step.split(' ')[1])).toEqual(['begins', 'ends', 'begins', 'ends']);
    await Promise.all([one.destroy(), other.destroy()]);
  });

  it('that a newer release has changed is gone on with, and the log says so', async () => {
    const newer = await open();
    await newer.query("INSERT INTO migrations (timestamp, name) VALUES (1999999999999, 'Later1999999999999')");
    await newer.destroy();
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    const node = await open();
    expect(warn.mock.calls).toEqual([
      [{ msg: 'the schema is newer than this release, which goes on with it', newer: ['Later1999999999999'] }],
    ]);
    warn.mockRestore();
    await node.query('SELECT count(*) FROM auth_user');
    await node.destroy();
  });

  itOnServer('of a server that does not answer, or does not know the database, is refused in one line', async () => {
    const silent = new URL(database.url);
    silent.port = '1';
    await expect(bringUpToDate(await optionsOf(silent.href))).rejects.toThrow(
      /^AuthModule: databaseUrl cannot use the \w+ database: .*ECONNREFUSED.*$/,
    );
    const unknown = new URL(database.url);
    unknown.pathname = '/there_is_no_such_database';
    const began = performance.now();
    await expect(bringUpToDate(await optionsOf(unknown.href))).rejects.toThrow(
      /^AuthModule: databaseUrl .*no_such_database.*$/,
    );
    expect(performance.now() - began).toBeLessThan(1500); // waiting does not mend it
  });
});
