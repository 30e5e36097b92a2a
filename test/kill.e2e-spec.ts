import { databaseOfFolder, onSqlite, rowsOf } from './databases.js';
import { cliJson, folder, killAll, pause, type RunningService, startProcess, token } from './process.js';

const KILLS = 50;
const ENV = {
  AUTH_REFRESH_RETRY_WINDOW: '300', // a client's next attempt may have to wait for a slow restart
  AUTH_LIMIT_IP: 'off',
};

/** An honest client with one sign-in: it sends the same token again until somebody answers. */
class HonestClient {
  /** Every refresh token it was given, the living one last. */
  readonly chain: string[] = [];
  dropped = 0;

  constructor(
    readonly name: string,
    private readonly credentials: object,
    readonly headers: Record<string, string>,
  ) {}

  async signIn(url: string): Promise<void> {
    const body = { ...this.credentials, grant_type: 'password', username: 'alice', password: 'a good password' };
    this.take(await token(url, body, this.headers));
  }

  refresh(url: string, refresh_token = this.chain.at(-1)!) {
    return token(url, { ...this.credentials, grant_type: 'refresh_token', refresh_token }, this.headers);
  }

  /** Refreshes until it is told to stop and knows its last answer; `serving` is the service that runs, or the next once it is up. */
  async goOn(serving: () => Promise<RunningService>, until: () => boolean): Promise<void> {
    let answer: Awaited<ReturnType<typeof token>> | undefined;
    while (!until() || !answer) {
      const { url } = await serving();
      answer = await this.refresh(url).catch(() => undefined);
      if (answer) this.take(answer);
      else this.dropped++;
      await pause(2);
    }
  }

  private take({ status, body }: Awaited<ReturnType<typeof token>>): void {
    if (status !== 200) throw new Error(`${this.name} was answered ${status} ${JSON.stringify(body)}`);
    this.chain.push(body['refresh_token'] as string);
  }
}

describe('refresh under kill -9', () => {
  const home = folder();

  afterAll(() => {
    killAll();
    home.remove();
  });

  it('lets every honest client go on, §Refresh 3 and 6, and keeps one row per sign-in, §Refresh 1', async () => {
    const grants = ['--grants', 'password,refresh_token'];
    await cliJson(home.dir, ['database', 'migrate']);
    await cliJson(home.dir, ['clients', 'create', 'page', '--public', ...grants]);
    const { client_secret } = await cliJson(home.dir, ['clients', 'create', 'server', ...grants]);
    await cliJson(home.dir, ['users', 'create', 'alice', '--password-stdin'], 'a good password');
    const server = Buffer.from(`server:${client_secret as string}`).toString('base64');
    const clients = [
      ...[1, 2, 3].map((n) => new HonestClient(`page ${n}`, { client_id: 'page' }, { 'x-device-id': `device-${n}` })),
      new HonestClient('server', {}, { authorization: `Basic ${server}` }),
    ];

    let serving = startProcess(home.dir, ENV);
    for (const client of clients) await client.signIn((await serving).url);
    let done = false;
    let failed = false;
    const work = Promise.all(
      clients.map((client) =>
        client.goOn(
          () => serving,
          () => done,
        ),
      ),
    );
    work.catch(() => (failed = true));
    try {
      let progress = clients.map(() => 1);
      for (let kill = 1; kill <= KILLS && !failed; kill++) {
        const service = await serving;
        await pause(Math.random() * 150);
        // each of them has gone on since the last restart, however slow the machine is
        const deadline = Date.now() + 30_000;
        while (!failed && clients.some(({ chain }, i) => chain.length <= progress[i]!)) {
          if (Date.now() > deadline) throw new Error(`after kill ${kill - 1} somebody could not go on`);
          await pause(1);
        }
        progress = clients.map(({ chain }) => chain.length);
        service.signal('SIGKILL');
        serving = service.ended.then(() => startProcess(home.dir, ENV));
      }
    } finally {
      done = true;
    }
    await work;
    const service = await serving;

    // honest clients got every token once, and the database holds nothing but their sessions
    const url = onSqlite ? `sqlite:${home.file}` : await databaseOfFolder(home.dir);
    const rows = await rowsOf<{ generation: number; revoked_at: number | null }>(
      url,
      'SELECT generation, revoked_at FROM auth_session ORDER BY device_id IS NULL, device_id',
    );
    expect(rows).toEqual(clients.map(({ chain }) => ({ generation: chain.length - 1, revoked_at: null })));
    for (const { chain } of clients) expect(new Set(chain).size).toBe(chain.length);
    expect(clients.map(({ dropped }) => dropped).every((n) => n > 0)).toBe(true);

    // §Refresh 4: a token of two generations back is theft, and ends the session
    for (const client of clients) {
      const stolen = await client.refresh(service.url, client.chain.at(-3));
      expect(stolen).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
      const living = await client.refresh(service.url);
      expect(living).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    }
    const ended = await rowsOf(url, 'SELECT id FROM auth_session WHERE revoked_at IS NOT NULL');
    expect(ended).toHaveLength(clients.length);
    if (onSqlite) expect(await rowsOf(url, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    expect(await service.stop()).toMatchObject({ code: 0, stderr: '' });
  }, 600_000);
});
