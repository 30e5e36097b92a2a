import { AttemptBudgets } from '../src/core/throttling/attempt-budgets.js';
import { AttemptBudget } from '../src/core/throttling/attempt-budget.entity.js';
import { AuthDatabase } from '../src/base/database/auth-database.js';
import type { Statement } from '../src/base/database/statement.js';
import { Sweeper } from '../src/base/database/sweeper.js';
import { itOnSqlite } from './databases.js';
import { expectError, type Service, startService } from './service.js';

const PASSWORD = 'correct horse';
const FOUR = { requests: 4, seconds: 120 };
const spent = (retryAfter: number) => ({ error: 'resource_exhausted', reason: 'LIMIT_ACCOUNT', retryAfter }) as const;

const beside = (service: Service, auth: object = {}) =>
  startService({
    auth: { limitIp: false, limitClient: false, limitAccount: FOUR, ...auth },
    settings: { databaseUrl: service.databaseUrl },
  });
const guess = (service: Service, password = 'wrong', username = 'ada') =>
  service.token({ client_id: 'app', grant_type: 'password', username, password });
const rowsOf = (service: Service) => service.app.get(AuthDatabase).dataSource.getRepository(AttemptBudget);

/** As many processes on one database, and a clock that they agree on. */
async function together(
  n: number,
  auth: object = {},
): Promise<{ services: Service[]; advance: (seconds: number) => void }> {
  const first = await startService({ auth: { limitIp: false, limitClient: false, limitAccount: FOUR, ...auth } });
  await first.client({ id: 'app' });
  await first.user('ada', PASSWORD);
  const others = [];
  for (let i = 1; i < n; i++) others.push(await beside(first, auth));
  const services = [first, ...others];
  return { services, advance: (seconds) => services.forEach(({ clock }) => clock.advance(seconds)) };
}

const closeAll = async (services: Service[]) => {
  for (const service of services.reverse()) await service.close(); // the first one's folder goes with it
};

describe('the attempts of an account, at two processes', () => {
  let services: Service[];
  let one: Service;
  let other: Service;
  let advance: (seconds: number) => void;

  beforeAll(async () => {
    ({ services, advance } = await together(2));
    [one, other] = services as [Service, Service];
  });
  beforeEach(() => advance(3600));
  afterAll(() => closeAll(services));

  it('are one budget: as many in all, at whichever, and they come back evenly at both', async () => {
    for (const service of [one, other, one, other]) expect((await guess(service)).status).toBe(400);
    for (const service of [one, other]) expectError(await guess(service, PASSWORD), spent(30));
    advance(29);
    for (const service of [one, other]) expectError(await guess(service), spent(1));
    advance(1);
    expect((await guess(other)).status).toBe(400);
    expectError(await guess(one, PASSWORD), spent(30));
    advance(30);
    expect((await guess(one, PASSWORD)).status).toBe(200);
  });

  it('are outlived by no restart', async () => {
    for (let i = 0; i < 4; i++) await guess(one);
    const restarted = await beside(one);
    restarted.clock.advance((one.clock.now() - restarted.clock.now()) / 1000);
    expectError(await guess(restarted, PASSWORD), spent(30));
    await restarted.close();
  });

  it('cost nothing who has the right password: one read by the primary key, and no write', async () => {
    await guess(one);
    const before = await rowsOf(one).find();
    const budgets = one.app.get(AttemptBudgets, { strict: false });
    const spies = Object.entries({ select: 'all', add: 'run', insert: 'run', lower: 'run' } as const).map(
      ([statement, method]) => jest.spyOn(Reflect.get(budgets, statement) as Statement<object>, method),
    );
    for (let i = 0; i < 3; i++) expect((await guess(one, PASSWORD)).status).toBe(200);
    expect(spies.map(({ mock }) => mock.calls.length)).toEqual([3, 0, 0, 0]);
    spies.forEach((spy) => spy.mockRestore());
    expect(await rowsOf(one).find()).toEqual(before);
  });

  it('are shared by no parallel guesses of one process, whoever has spent the rest', async () => {
    for (let i = 0; i < 2; i++) await guess(one);
    const answers = await Promise.all(Array.from({ length: 30 }, () => guess(other)));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array(2).fill(400), ...Array(28).fill(429)]);
  });

  it('are exceeded by parallel guesses at several processes by no more than each had left', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => guess(i % 2 ? one : other)));
    const judged = answers.filter(({ status }) => status === 400).length;
    expect(judged).toBeGreaterThanOrEqual(4);
    expect(judged).toBeLessThanOrEqual(8);
    const [row] = await rowsOf(one).find();
    expect(row!.restored_at - one.clock.now()).toBe(Math.min(judged * 30_000, 210_000)); // every one of them counts
  });

  it('that were judged beyond the budget are paid back, within one budget’s time', async () => {
    const take = (service: Service) => service.app.get(AttemptBudgets, { strict: false }).take('anybody');
    const taken = [];
    for (let i = 0; i < 4; i++) taken.push(await take(one), await take(other));
    for (const service of [one, other]) await expect(take(service)).rejects.toMatchObject({ retryAfter: 30 });
    await Promise.all(taken.map((attempt) => attempt.end(true)));
    for (const service of [one, other]) await expect(take(service)).rejects.toMatchObject({ retryAfter: 120 });
    advance(119);
    for (const service of [one, other]) await expect(take(service)).rejects.toMatchObject({ retryAfter: 1 });
    advance(1);
    const attempt = await take(one);
    await attempt.end(false);
    await (await take(other)).end(true);
    await expect(take(one)).rejects.toMatchObject({ retryAfter: 30 });
  });

  it('leave no rows behind once they are there again', async () => {
    await guess(one);
    await guess(one, 'wrong', 'eve');
    advance(29);
    await one.app.get(Sweeper).sweep();
    expect(await rowsOf(one).count()).toBeGreaterThanOrEqual(2);
    advance(1);
    await one.app.get(Sweeper).sweep();
    expect(await rowsOf(one).count()).toBe(0);
    expect((await guess(one, PASSWORD)).status).toBe(200);
  });
});

it('attempts at many accounts that fail for the first time at several processes at once all count', async () => {
  const { services } = await together(3);
  const names = Array.from({ length: 5 }, (_, i) => `user-${i}`);
  await Promise.all(names.flatMap((name) => services.map((service) => guess(service, 'wrong', name))));
  const now = services[0]!.clock.now();
  expect((await rowsOf(services[0]!).find()).map(({ restored_at }) => restored_at - now)).toEqual(
    names.map(() => 90_000),
  );
  await closeAll(services);
});

describe('the attempts of an account', () => {
  let service: Service;

  const start = async (auth: object = {}) => {
    const { services } = await together(1, auth);
    service = services[0]!;
  };
  afterEach(() => service.close());

  it('are not locked for longer than the budget takes to come back by a clock that is set back', async () => {
    await start();
    await guess(service);
    service.clock.step(-3600);
    expectError(await guess(service, PASSWORD), spent(120));
    service.clock.advance(119);
    expectError(await guess(service, PASSWORD), spent(1));
    service.clock.advance(1);
    expect((await guess(service, PASSWORD)).status).toBe(200);
  });

  it('are there again at once where the clock is set forward', async () => {
    await start();
    for (let i = 0; i < 4; i++) await guess(service);
    service.clock.step(3600);
    expect((await guess(service, PASSWORD)).status).toBe(200);
  });

  it('are neither read nor written where the limit is off', async () => {
    await start({ limitAccount: false });
    await service.app.get(AuthDatabase).dataSource.query('DROP TABLE auth_attempt');
    for (let i = 0; i < 6; i++) expect((await guess(service)).status).toBe(400);
    expect((await guess(service, PASSWORD)).status).toBe(200);
  });

  // of a server that became a standby: test/outage
  itOnSqlite('are unavailable where a failure cannot be written, whether the password is right or wrong', async () => {
    await start();
    const { dataSource } = service.app.get(AuthDatabase);
    await dataSource.query('PRAGMA query_only = ON');
    const away = { error: 'unavailable', reason: 'DATABASE_UNAVAILABLE', retryAfter: 1 } as const;
    for (const password of ['wrong', PASSWORD]) expectError(await guess(service, password), away);
    await dataSource.query('PRAGMA query_only = OFF');
    expect((await guess(service, PASSWORD)).status).toBe(200);
  });
});
