import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { cliJson, folder, killAll, listening, npmStart, pause, type RunningService, startProcess } from './process.js';
import { SECRET } from './service.js';

const LONG = 60_000;
const SIGN_IN = JSON.stringify({ client_id: 'nobody', grant_type: 'password', username: 'ada', password: 'x' });

/** A connection that sends what it is told to and keeps what it hears. */
async function open(service: RunningService, text = ''): Promise<{ socket: Socket; heard: () => string }> {
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
  let heard = '';
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString())).on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text);
  return { socket, heard: () => heard };
}

function head(method: string, path: string): string {
  const body = method === 'POST' ? `Content-Type: application/json\r\nContent-Length: ${SIGN_IN.length}\r\n` : '';
  return `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${body}\r\n`;
}

describe('a service that is told to stop', () => {
  const home = folder();
  const env = { AUTH_LIMIT_IP: 'off' };
  beforeAll(() => cliJson(home.dir, ['database', 'migrate']), LONG);
  afterAll(() => {
    killAll();
    home.remove();
  });
  /** A request whose body is not all there yet: under way for as long as we like. */
  const halfSent = (service: RunningService) => open(service, head('POST', '/auth/v1/token') + SIGN_IN.slice(0, 5));

  it(
    'ends under keep-alive traffic: each answer from then on is the last on its connection, and idle ones are closed',
    async () => {
      const service = await startProcess(home.dir, env);
      const idle = await open(service, head('GET', '/health/live'));
      const silent = await open(service);
      const slow = await halfSent(service);
      const agent = new Agent({ keepAlive: true, maxSockets: 4 });
      let told = Infinity;
      const late: (string | undefined)[] = [];
      const ask = async (): Promise<void> => {
        const sentAt = performance.now();
        const [answer] = (await once(get(`${service.url}/health/live`, { agent }), 'response')) as [IncomingMessage];
        if (sentAt > told + 50) late.push(answer.headers.connection);
        await once(answer.resume(), 'end');
      };
      const keepAsking = async (): Promise<void> => {
        for (;;) await ask();
      };
      const traffic = Promise.allSettled(Array.from({ length: 8 }, keepAsking));
      await pause(300);
      service.signal('SIGTERM');
      told = performance.now();
      await Promise.all([once(idle.socket, 'close'), once(silent.socket, 'close')]);
      await traffic; // nobody listens any more
      await pause(200);
      slow.socket.write(SIGN_IN.slice(5));
      expect(await service.ended).toMatchObject({ code: 0, signal: null, stderr: '' });
      expect(performance.now() - told).toBeLessThan(5000);
      expect(idle.heard()).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*Keep-Alive: timeout=65\r\n/);
      expect(slow.heard()).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n[^]*Connection: close\r\n[^]*"invalid_client"/);
      expect(late.filter((connection) => connection !== 'close')).toEqual([]);
    },
    LONG,
  );

  it(
    'cuts off what is still under way at AUTH_SHUTDOWN_TIMEOUT, and ends with 0',
    async () => {
      const service = await startProcess(home.dir, { ...env, AUTH_SHUTDOWN_TIMEOUT: '1' });
      const slow = await halfSent(service);
      await pause(100);
      const told = performance.now();
      service.signal('SIGTERM');
      await once(slow.socket, 'close');
      expect(await service.ended).toMatchObject({ code: 0, signal: null, stderr: '' });
      const took = performance.now() - told;
      expect([took > 900, took < 3000]).toEqual([true, true]);
    },
    LONG,
  );

  it.each<NodeJS.Signals>(['SIGHUP', 'SIGINT', 'SIGTERM'])(
    'takes %s for that, and ends at once at a second signal',
    async (signal) => {
      const service = await startProcess(home.dir, env);
      await halfSent(service);
      await pause(100);
      service.signal(signal);
      await pause(200);
      const told = performance.now();
      service.signal('SIGTERM');
      expect(await service.ended).toMatchObject({ code: 143, signal: null, stderr: '' });
      expect(performance.now() - told).toBeLessThan(2000);
    },
    LONG,
  );

  it.each<NodeJS.Signals>(['SIGTERM', 'SIGINT'])(
    'hears %s behind npm start, too, and leaves no process',
    async (signal) => {
      const service = npmStart({ ...env, PORT: '0', AUTH_SECRET: SECRET, DATABASE_URL: `sqlite:${home.file}` });
      await listening(service);
      service.signal(signal);
      const { stdout } = await service.ended; // of everything that holds its output
      expect(stdout).toContain(`"signal":"${signal}"`);
      await expect(fetch(service.url)).rejects.toThrow('fetch failed');
    },
    LONG,
  );
});

describe('a connection without a request', () => {
  const home = folder();
  afterAll(() => {
    killAll();
    home.remove();
  });

  it('is kept open for AUTH_KEEP_ALIVE_TIMEOUT seconds', async () => {
    const service = await startProcess(home.dir, { AUTH_KEEP_ALIVE_TIMEOUT: '1' });
    const idle = await open(service, head('GET', '/health/live'));
    const began = performance.now();
    await once(idle.socket, 'close');
    const took = performance.now() - began;
    expect(idle.heard()).toContain('\r\nKeep-Alive: timeout=1\r\n');
    expect([took > 900, took < 4000]).toEqual([true, true]);
    await service.stop();
  }, 60_000);
});
