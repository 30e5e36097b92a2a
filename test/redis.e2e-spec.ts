import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { getStorageToken } from '@nestjs/throttler';
import { Redis } from 'ioredis';
import request from 'supertest';
import { installed } from '../src/base/installed.js';
import { Clock, type LimitStorage, MemoryThrottlerStorage, RedisThrottlerStorage } from '../src/index.js';
import { signIn } from './fixtures.js';
import { startHost } from './host.js';
import { folder, killAll, pause, startProcess } from './process.js';
import { expectError, FakeClock, type Service, startService, type StartOptions } from './service.js';

const REDIS = process.env['TEST_REDIS_URL'];
const withRedis = REDIS === undefined ? describe.skip : describe;
const skipped = REDIS === undefined ? ' (skipped: TEST_REDIS_URL is not set)' : '';

const AWAY = 'the shared limits are away: each process limits by itself';
const BACK = 'the shared limits are back';
const SIX = { requests: 6, seconds: 60 };

/** Stands between a service and Redis, and lets through what it is told to. */
class Proxy {
  private readonly server: Server = createServer((socket) => this.accept(socket));
  private readonly sockets = new Set<Socket>();
  private mode: 'open' | 'silent' = 'open';

  constructor(private readonly target: URL) {}

  async listen(port = 0): Promise<number> {
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    return (this.server.address() as AddressInfo).port;
  }

  /** Redis is gone: connections break, and no new one is accepted. */
  async cut(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.sockets.forEach((socket) => socket.destroy());
    await closed;
  }

  /** Redis hangs: connections are there, old and new, and nothing is heard on them. */
  hang(): void {
    this.mode = 'silent';
    this.sockets.forEach((socket) => socket.pause());
  }

  open(): void {
    this.mode = 'open';
    this.sockets.forEach((socket) => socket.resume());
  }

  private accept(client: Socket): void {
    const upstream = connect(Number(this.target.port || 6379), this.target.hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.sockets.add(from);
      from
        .on('data', (chunk) => to.write(chunk))
        .on('error', () => undefined)
        .on('close', () => {
          this.sockets.delete(from);
          to.destroy();
        });
      if (this.mode === 'silent') from.pause();
    }
  }
}

it('limits in Redis say in one line what to install where ioredis is missing', async () => {
  const missing: string = 'no-such-package';
  await expect(installed('ioredis', () => import(missing), 'ioredis, for the limits in Redis,')).rejects.toThrow(
    /^ioredis, for the limits in Redis, is not installed: npm install ioredis$/,
  );
});

withRedis(`limits in Redis${skipped}`, () => {
  const target = new URL(REDIS ?? 'redis://localhost');
  let redis: Redis;
  let prefix: string;

  beforeAll(() => {
    redis = new Redis(target.href);
  });
  beforeEach(() => {
    prefix = `test-${randomUUID()}:`;
  });
  afterEach(async () => {
    const keys = await redis.keys(`${prefix}*`);
    if (keys.length > 0) await redis.del(keys);
  });
  afterAll(async () => {
    killAll();
    await redis.quit();
  });

  const at = (port = target.port) => {
    const url = new URL(target.href);
    url.port = String(port);
    url.searchParams.set('keyPrefix', prefix);
    return url.href;
  };
  const start = async (redisUrl = at(), auth: StartOptions['auth'] = { limitIp: SIX }) => {
    const service = await startService({ auth, settings: { redisUrl } });
    await service.client({ id: 'app' });
    await service.user('ada', 'correct horse');
    return service;
  };
  const unknown = (service: Service) => service.token({ client_id: 'nobody', grant_type: 'password' });
  const said = ({ log }: Service) => log.map(({ msg }) => msg).filter((msg) => msg === AWAY || msg === BACK);
  const ready = (service: Service) => request(service.url).get('/health/ready');
  const untilShared = async (service: Service) => {
    for (const deadline = Date.now() + 10_000; Date.now() < deadline; await pause(20)) {
      if ((await ready(service)).body.info.limits.shared === true) return;
    }
    throw new Error('the limits did not come back');
  };
  const refreshing = async (service: Service) => {
    let { refresh_token } = await signIn(service);
    /** The longest of some refreshes, in milliseconds. */
    return async () => {
      let longest = 0;
      for (let i = 0; i < 3; i++) {
        const began = performance.now();
        const { status, body } = await service.token({ client_id: 'app', grant_type: 'refresh_token', refresh_token });
        longest = Math.max(longest, performance.now() - began);
        expect(status).toBe(200);
        ({ refresh_token } = body as { refresh_token: string });
      }
      return longest;
    };
  };

  it('are shared: as many requests in all, at whichever process', async () => {
    const [one, other] = [await start(), await start()];
    for (const service of [one, other, one, other, one, other]) expect((await unknown(service)).status).toBe(401);
    for (const service of [one, other]) {
      const refused = await unknown(service);
      const retryAfter = Number(refused.headers['retry-after']);
      expectError(refused, { error: 'resource_exhausted', reason: 'LIMIT_IP', retryAfter });
      expect(retryAfter).toBeGreaterThan(5);
      expect(retryAfter).toBeLessThanOrEqual(10);
    }
    expect((await ready(one)).body).toMatchObject({ status: 'ok', info: { limits: { status: 'up', shared: true } } });
    expect([...said(one), ...said(other)]).toEqual([]);
    await one.close();
    await other.close();
  });

  it('are kept under keys that expire, and hold no address, client, user or session', async () => {
    const service = await start(at(), { limitIp: SIX, limitClient: SIX });
    const { client_secret } = await service.client({ id: 'backend', public: false });
    await (
      await refreshing(service)
    )();
    await service.token({ client_id: 'backend', client_secret, grant_type: 'client_credentials' });
    await service.token({ client_id: 'app', grant_type: 'password', username: 'ada', password: 'wrong' });
    const keys = await redis.keys(`${prefix}*`);
    const kinds = keys.map((key) => /^nest-auth:limit:(\w+):[\w-]{43}$/.exec(key.slice(prefix.length))?.[1]);
    expect([...new Set(kinds)].sort()).toEqual(['client', 'ip', 'session']);
    for (const key of keys) expect(await redis.pttl(key)).toBeGreaterThan(0);
    await service.close();
  });

  it('are limits of each process while Redis is away; refreshes go on, and it is back by itself', async () => {
    const proxy = new Proxy(target);
    const port = await proxy.listen();
    const service = await start(at(String(port)));
    const refresh = await refreshing(service);
    for (let i = 0; i < 6; i++) await unknown(service);
    expect((await unknown(service)).status).toBe(429);

    await proxy.cut();
    expect(await refresh()).toBeLessThan(1000);
    expect((await ready(service)).body).toMatchObject({ status: 'ok', info: { limits: { shared: false } } });
    for (let i = 0; i < 6; i++) expect((await unknown(service)).status).toBe(401);
    expect((await unknown(service)).status).toBe(429);
    expect(said(service)).toEqual([AWAY]);

    const again = new Proxy(target);
    await again.listen(port);
    await untilShared(service);
    await refresh();
    expect(said(service)).toEqual([AWAY, BACK]);
    expect((await unknown(service)).status).toBe(429); // what was spent is spent
    await service.close();
    await again.cut();
  });

  it('slow a request once by no more than the deadline where Redis hangs, and the next ones not at all', async () => {
    const proxy = new Proxy(target);
    const service = await start(at(String(await proxy.listen())));
    const refresh = await refreshing(service);
    const storage = service.app.get<RedisThrottlerStorage>(getStorageToken(), { strict: false });
    const take = async () => {
      const began = performance.now();
      const { isBlocked } = await storage.increment('x:y', 60_000, 1000, 60_000, 'x');
      expect(isBlocked).toBe(false);
      return performance.now() - began;
    };
    proxy.hang();
    expect(await take()).toBeLessThan(500);
    const began = performance.now();
    for (let i = 0; i < 100; i++) await take();
    expect(performance.now() - began).toBeLessThan(500);
    await refresh();
    expect((await ready(service)).body).toMatchObject({ status: 'ok', info: { limits: { shared: false } } });
    await pause(2500); // it is asked again, and says nothing
    expect((await ready(service)).body).toMatchObject({ info: { limits: { shared: false } } });
    proxy.open();
    await untilShared(service);
    await refresh();
    expect(said(service)).toEqual([AWAY, BACK]);
    await service.close();
    await proxy.cut();
  });

  it('keep no service from starting: Redis may come later', async () => {
    const proxy = new Proxy(target);
    const port = await proxy.listen();
    await proxy.cut();
    const service = await start(at(String(port)));
    expect(said(service)).toEqual([AWAY]);
    expect(await (await refreshing(service))()).toBeLessThan(1000);
    const late = new Proxy(target);
    await late.listen(port);
    await untilShared(service);
    expect(said(service)).toEqual([AWAY, BACK]);
    await service.close();
    await late.cut();
  });

  it('are no entry of readiness where there is no REDIS_URL', async () => {
    const service = await startService();
    expect(Object.keys((await ready(service)).body.info as object)).toEqual(['database']);
    await service.close();
  });

  it('are there for a host, too', async () => {
    const providers = [
      {
        provide: getStorageToken(),
        useFactory: (clock: Clock) => RedisThrottlerStorage.connect(at(), clock),
        inject: [Clock],
      },
    ];
    const host = await startHost({}, { limitIp: SIX, providers });
    const ask = () => request(host.url).post('/auth/v1/token').send({ client_id: 'nobody', grant_type: 'password' });
    for (let i = 0; i < 6; i++) expect((await ask()).status).toBe(401);
    expect((await ask()).status).toBe(429);
    expect(await redis.keys(`${prefix}*`)).toHaveLength(1);
    await host.close();
  });

  it.each(['there', 'hanging'])('do not keep a process from ending while Redis is %s', async (how) => {
    const proxy = new Proxy(target);
    const home = folder();
    const port = await proxy.listen();
    const service = await startProcess(home.dir, { REDIS_URL: at(String(port)), NODE_ENV: 'test' });
    const body = JSON.stringify({ client_id: 'nobody', grant_type: 'password' });
    const ask = () => fetch(`${service.url}/auth/v1/token`, { method: 'POST', body });
    await ask();
    if (how === 'hanging') {
      proxy.hang();
      await ask();
    }
    const told = performance.now();
    expect(await service.stop()).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(performance.now() - told).toBeLessThan(3000);
    await proxy.cut();
    home.remove();
  });

  describe('answer as those in memory do:', () => {
    /** take: requests; give: back; pass: milliseconds. */
    type Step = ['take' | 'give' | 'pass', number];
    const SEQUENCES: [string, limit: number, ttl: number, Step[]][] = [
      ['a budget that is spent', 10, 60_000, [['take', 13]]],
      [
        'one request at a time',
        1,
        30_000,
        [
          ['take', 2],
          ['pass', 29_000],
          ['take', 1],
          ['pass', 1000],
          ['take', 2],
        ],
      ],
      [
        'what comes back evenly',
        6,
        60_000,
        [
          ['take', 8],
          ['pass', 10_000],
          ['take', 2],
          ['pass', 25_000],
          ['take', 4],
        ],
      ],
      [
        'what is given back',
        4,
        60_000,
        [
          ['take', 5],
          ['give', 1],
          ['take', 2],
          ['give', 9],
          ['take', 5],
        ],
      ],
      [
        'what is given back of nothing',
        3,
        60_000,
        [
          ['give', 1],
          ['take', 4],
        ],
      ],
      [
        'requests that do not divide the time',
        7,
        60_000,
        [
          ['take', 8],
          ['pass', 20_000],
          ['take', 4],
        ],
      ],
      [
        'a budget that is whole again',
        5,
        60_000,
        [
          ['take', 6],
          ['pass', 600_000],
          ['take', 6],
        ],
      ],
      [
        'a long time',
        20,
        86_400_000,
        [
          ['take', 22],
          ['pass', 4_320_000],
          ['take', 2],
        ],
      ],
    ];
    it.each(SEQUENCES)('%s', async (_, limit, ttl, steps) => {
      const clock = new FakeClock();
      const memory = new MemoryThrottlerStorage(clock);
      const shared = await RedisThrottlerStorage.connect(at(), clock, 5000);
      const key = 'ip:somebody';
      const kept = `${prefix}nest-auth:limit:${key}`;
      const taken = (storage: LimitStorage) => storage.increment(key, ttl, limit, ttl, 'ip');
      for (const [what, n] of steps) {
        if (what === 'pass') {
          clock.advance(n / 1000);
          const moment = await redis.get(kept); // the same, as Redis's own clock cannot be put forward
          if (moment !== null) await redis.set(kept, String(Number(moment) - n), 'KEEPTTL');
        }
        for (let i = 0; what === 'take' && i < n; i++) {
          expect([i, await taken(shared)]).toEqual([i, await taken(memory)]);
        }
        for (let i = 0; what === 'give' && i < n; i++) {
          await Promise.all([shared, memory].map((storage) => storage.restore(key, ttl, limit, 'ip')));
        }
        expect(await redis.pttl(kept)).not.toBe(-1);
      }
      expect(shared.isShared).toBe(true);
      shared.onApplicationShutdown();
    });
  });
});
