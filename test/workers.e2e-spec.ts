import { execFileSync } from 'node:child_process';
import {
  cli,
  cliJson,
  folder,
  killAll,
  logOf,
  pause,
  type RunningService,
  SECRET,
  spawnService,
  startProcess,
  token,
} from './process.js';
import { databaseOfFolder } from './databases.js';

const LONG = 120_000;

/** The processes that it has started. */
function workersOf({ pid }: RunningService): number[] {
  const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
  return children.trim().split(/\s+/).map(Number);
}

async function until(holds: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 600; i++) {
    if (holds()) return;
    await pause(50);
  }
  throw new Error(`not within 30 s: ${what}`);
}

describe('WORKERS=2', () => {
  const home = folder();
  const env = { WORKERS: '2', AUTH_LIMIT_IP: 'off', AUTH_LIMIT_ACCOUNT: '10/300' };
  let service: RunningService;
  const listening = () => logOf(service.stdout()).filter(({ msg }) => msg === 'listening');
  const signIn = (password = 'a good password') =>
    token(service.url, { client_id: 'page', grant_type: 'password', username: 'alice', password });

  beforeAll(async () => {
    await cliJson(home.dir, ['database', 'migrate']);
    await cliJson(home.dir, ['clients', 'create', 'page', '--public', '--grants', 'password,refresh_token']);
    await cliJson(home.dir, ['users', 'create', 'alice', '--password-stdin'], 'a good password');
    service = await startProcess(home.dir, env);
    await until(() => listening().length === 2, 'two workers listen');
  }, LONG);
  afterAll(() => {
    killAll();
    home.remove();
  });

  it('serves from two processes at one port, and each line of the log says which', () => {
    expect(workersOf(service)).toHaveLength(2);
    expect(new Set(listening().map(({ url }) => url)).size).toBe(1);
    expect(listening().map(({ worker }) => worker)).toEqual([1, 2]);
  });

  it('a token that one gave the other refreshes, and 20 parallel refreshes get one successor', async () => {
    const { body } = await signIn();
    const refresh = { client_id: 'page', grant_type: 'refresh_token', refresh_token: body['refresh_token'] };
    const answers = await Promise.all(Array.from({ length: 20 }, () => token(service.url, refresh)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(new Set(answers.map((answer) => answer.body['refresh_token'])).size).toBe(1);
  });

  it('a worker that is killed is replaced, and says so once; nobody is logged out', async () => {
    const { body } = await signIn();
    const [victim, other] = workersOf(service);
    process.kill(victim!, 'SIGKILL');
    await until(() => listening().length === 3, 'a third worker listens');
    expect(workersOf(service)).toContain(other);
    expect(logOf(service.stdout()).filter(({ msg }) => msg === 'a worker died; it is replaced')).toEqual([
      expect.objectContaining({ level: 'error', signal: 'SIGKILL', code: null, seconds: expect.any(Number) }),
    ]);
    const refresh = { client_id: 'page', grant_type: 'refresh_token', refresh_token: body['refresh_token'] };
    expect((await token(service.url, refresh)).status).toBe(200);
  });

  it('guesses at an account are counted over both', async () => {
    await cliJson(home.dir, ['users', 'create', 'bob', '--password-stdin'], 'a good password');
    const bob = { client_id: 'page', grant_type: 'password', username: 'bob', password: 'wrong' };
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) statuses.push((await token(service.url, bob)).status);
    expect(statuses).toEqual([...Array<number>(10).fill(400), 429, 429]);
  });

  it('SIGTERM ends all of them in good order', async () => {
    const workers = workersOf(service);
    const { code, stderr, stdout } = await service.stop();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(logOf(stdout).filter(({ msg }) => msg === 'stopping')).toHaveLength(2);
    for (const pid of workers) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('a start that fails is told once, in one line, and not tried again', async () => {
    const other = { WORKERS: '2', AUTH_SECRET: 'another-service-secret-for-tests-0123', PORT: '0' };
    const refused = await spawnService(home.dir, { ...other, DATABASE_URL: await databaseOfFolder(home.dir) }).ended;
    expect(refused).toMatchObject({
      code: 1,
      stderr: 'nest-auth did not start: the signing keys in the database were made under another service secret\n',
    });
    expect((await cli(home.dir, ['clients', 'list'], { env: { WORKERS: '0', AUTH_SECRET: SECRET } })).stderr).toBe(
      'nest-auth: WORKERS: must be a whole number from 1 to 256\n',
    );
  });
});
