import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { Agent, get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { folder, killAll, logOf, pause, startLoggingTo } from './process.js';

const LONG = 120_000;
/** More lines than a pipe and a megabyte hold. */
const MANY = 8000;

async function ask(url: string, times: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  let left = times;
  const asking = async (): Promise<void> => {
    while (left-- > 0) {
      const [answer] = (await once(get(`${url}/health/live`, { agent }), 'response')) as [IncomingMessage];
      expect(answer.statusCode).toBe(200);
      await once(answer.resume(), 'end');
    }
  };
  await Promise.all(Array.from({ length: 16 }, asking));
  agent.destroy();
}

describe('a log that takes no lines', () => {
  const home = folder();
  afterAll(() => {
    killAll();
    home.remove();
  });
  const stopped = async (child: { kill(signal: 'SIGTERM'): boolean; once: unknown }): Promise<unknown> => {
    const ended = once(child as never, 'exit');
    child.kill('SIGTERM');
    const told = performance.now();
    const [code] = (await ended) as [number];
    return [code, performance.now() - told < 4000];
  };
  /** A pipe that can be written to, whoever reads. */
  const pipe = (): number => {
    const path = join(home.dir, `fifo-${performance.now()}`);
    execFileSync('mkfifo', [path]);
    return openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  };
  const read = (fd: number): string => {
    const buffer = Buffer.alloc(65_536);
    try {
      return buffer.toString('utf8', 0, readSync(fd, buffer));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return '';
      throw error;
    }
  };

  it(
    'does not keep the service from serving; how many were dropped is said in their place once it takes them again',
    async () => {
      const fd = pipe();
      const { url, child } = await startLoggingTo(fd, home.dir, { NODE_ENV: 'production' });
      await ask(url, MANY);
      await pause(300); // the last answers are written down
      let text = '';
      for (let silent = 0; silent < 20; await pause(10)) {
        const more = read(fd);
        silent = more === '' ? silent + 1 : 0;
        text += more;
      }
      await ask(url, 1);
      await pause(500);
      text += read(fd);
      expect(await stopped(child)).toEqual([0, true]);
      const log = logOf(text);
      expect(text.trim().split('\n')).toHaveLength(log.length);
      const gap = log.find(({ dropped }) => dropped !== undefined)!;
      expect(gap).toMatchObject({ level: 'warn', context: 'Log', dropped: expect.any(Number) as number });
      const lines = log.filter(({ path }) => path === '/health/live').length;
      expect(lines + (gap['dropped'] as number)).toBe(MANY + 1);
      expect(log.findLast(({ msg }) => msg === 'request')).toMatchObject({ path: '/health/live', status: 200 });
      expect(lines).toBeGreaterThan(1000);
      closeSync(fd);
    },
    LONG,
  );

  it.each<[string, () => number | 'pipe']>([
    ['a pipe that nobody reads', pipe],
    ['a socket that nobody reads', () => 'pipe'],
    ['a full disk', () => openSync('/dev/full', 'w')],
  ])(
    'does not keep the process from ending: %s',
    async (_, output) => {
      const stdout = output();
      const { url, child } = await startLoggingTo(stdout, home.dir, { NODE_ENV: 'production' });
      await ask(url, 2000);
      expect(await stopped(child)).toEqual([0, true]);
      if (stdout !== 'pipe') closeSync(stdout);
    },
    LONG,
  );

  it(
    'is no reason to end: a reader that went away',
    async () => {
      const { url, child } = await startLoggingTo('pipe', home.dir, { NODE_ENV: 'production' });
      child.stdout!.destroy();
      await ask(url, 100);
      await pause(600); // a write or two
      await ask(url, 100);
      expect(await stopped(child)).toEqual([0, true]);
    },
    LONG,
  );
});
