import { setTimeout as sleep } from 'node:timers/promises';
import { expectRefusal, GOOD, head, invalid, livesOn, open, startTarget, type Target, type Wire } from './wire.js';

const GOOD_TEXT = JSON.stringify(GOOD);

describe('a slow or broken body', () => {
  let target: Target;
  const wires: Wire[] = [];

  beforeAll(async () => {
    target = await startTarget();
  });
  afterEach(() => {
    for (const { socket } of wires.splice(0)) socket.destroy();
  });
  livesOn(() => target);

  const wire = (...texts: string[]) => {
    const made = open(target.url);
    wires.push(made);
    for (const text of texts) made.write(text);
    return made;
  };
  const length = { 'Content-Length': `${GOOD_TEXT.length}` };
  const chunked = { 'Transfer-Encoding': 'chunked' };
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

  it('is answered after ten seconds and cut off, and delays nobody meanwhile', async () => {
    const began = performance.now();
    const dripping = wire(head(length));
    let sent = 0;
    const drip = setInterval(() => dripping.write(GOOD_TEXT[sent++]!), 1000);
    const slow = [
      dripping,
      wire(head(length)),
      wire(head(length), GOOD_TEXT.slice(0, -1)),
      wire(head(chunked)),
      wire(head(chunked), chunk(GOOD_TEXT)),
      wire(head({ ...chunked, 'Content-Type': 'text/plain' }), '5\r\n{"a'),
      ...Array.from({ length: 200 }, () => wire(head(length), '{')),
    ];
    let requests = 0;
    while (performance.now() - began < 9000) {
      expect(await target.post({ ...target.confidential, grant_type: 'client_credentials' })).toMatchObject({
        status: 200,
      });
      requests++;
      await sleep(50);
    }
    expect(requests).toBeGreaterThan(20);
    const answers = await Promise.all(slow.map(({ answer }) => answer));
    clearInterval(drip);
    expect(performance.now() - began).toBeLessThan(15_000);
    for (const answer of answers) {
      expectRefusal(answer, { ...invalid('BODY_TIMEOUT'), message: 'The request body did not arrive in time.' });
      expect(answer.headers.connection).toBe('close');
    }
    await Promise.all(slow.map(({ closed }) => closed));
  }, 30_000);

  it('that arrives in pieces, but in time, is as good as any', async () => {
    const { answer, write } = wire(head(chunked));
    for (const c of GOOD_TEXT) {
      write(chunk(c));
      await sleep(1);
    }
    write('0\r\n\r\n');
    expect(await answer).toMatchObject({ status: 200 });
  });

  it('that never ends is refused as soon as it is too large (413)', async () => {
    const { answer, socket } = wire(head(chunked));
    const piece = chunk('x'.repeat(16 * 1024));
    const flood = setInterval(() => socket.write(piece), 5);
    const refused = await answer;
    clearInterval(flood);
    expectRefusal(refused, { ...invalid('BODY_TOO_LARGE'), status: 413, error_code: 41301 });
  });

  it('whose length says it is too large is refused before it comes (413)', async () => {
    const { answer } = wire(head({ 'Content-Length': '999999999999' }));
    expectRefusal(await answer, { ...invalid('BODY_TOO_LARGE'), status: 413, error_code: 41301 });
  });

  it('behind a refusal does not become the next request', async () => {
    const smuggled = head({ 'x-request-id': 'smuggled', ...length }) + GOOD_TEXT;
    const pad = 'x'.repeat(70_000 - smuggled.length);
    const { closed } = wire(
      head({ 'Content-Length': '70000' }),
      smuggled + pad,
      head({ 'x-request-id': 'next', Connection: 'close', ...length }),
      GOOD_TEXT,
    );
    const received = await closed;
    expect(received).not.toContain('smuggled');
    expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 200']);
  });

  it('longer than its length says leaves the rest to be no HTTP', async () => {
    const { closed } = wire(head(length), `${GOOD_TEXT}xxxx\r\n\r\n`);
    expect((await closed).match(/HTTP\/1\.1 \d+/g)).toEqual(expect.arrayContaining(['HTTP/1.1 400']));
  });

  it.each([
    ['in its headers', () => [head(length).slice(0, 30)]],
    ['before its body', () => [head(length)]],
    ['in its body', () => [head(length), GOOD_TEXT.slice(0, 20)]],
    ['in a chunk', () => [head(chunked), '20\r\n{"cli']],
    ['between chunks', () => [head(chunked), chunk(GOOD_TEXT)]],
    ['before the answer', () => [head(length), GOOD_TEXT]],
  ])('of a connection that is cut %s troubles nobody', async (_, texts) => {
    const before = target.log.length;
    for (let i = 0; i < 20; i++) {
      const cut = wire(...texts());
      await sleep(2);
      if (i % 2) cut.socket.destroy();
      else cut.socket.resetAndDestroy();
      await cut.closed;
    }
    await sleep(100);
    for (const { status } of target.log.slice(before)) expect([undefined, 200, 400, 499]).toContain(status);
  });

  it('of a connection whose other half was closed is not waited for', async () => {
    const began = performance.now();
    const { socket, closed } = wire(head(length), GOOD_TEXT.slice(0, 20));
    await sleep(50);
    socket.end();
    expect(await closed).not.toContain('access_token');
    expect(performance.now() - began).toBeLessThan(3000);
  });
});
