// A load generator: keep-alive connections over raw sockets, each with one request under way at a time.
import { createConnection } from 'node:net';

/** A request as the bytes of HTTP/1.1. */
export function get(path) {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
}

/** The same with parameters, as JSON. */
export function post(path, parameters) {
  const body = JSON.stringify(parameters);
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/**
 * Sends requests over every connection until the seconds or the requests are used up.
 * @param lanes one per connection: `next()` makes the bytes of its next request; `answered(status, body)`, if there is
 *   one, hears the answer; `every` milliseconds lie between two requests (left out: one follows the other at once)
 * @returns how many answers came, how many of them were not 200, how long it took, and each answer's milliseconds
 */
export async function load({ port, lanes, seconds, requests = Infinity }) {
  const began = performance.now();
  const result = { answers: 0, refused: 0, seconds: 0, ms: [] };
  const until = began + seconds * 1000;
  let started = 0;
  const mayStart = () => performance.now() < until && started++ < requests;
  await Promise.all(lanes.map((lane) => drive(lane, port, mayStart, result)));
  result.seconds = (performance.now() - began) / 1000;
  return result;
}

/** How long one answer may take, in milliseconds. */
const PATIENCE = 20_000;

function drive({ next, answered, every }, port, mayStart, result) {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: '127.0.0.1', noDelay: true });
    let received = '';
    let sentAt = 0;
    const send = () => {
      if (!mayStart()) return socket.end(resolve);
      const bytes = next();
      sentAt = performance.now();
      socket.write(bytes);
    };
    socket.setTimeout(PATIENCE, () => socket.destroy(new Error('no answer')));
    socket.on('connect', send);
    socket.on('data', (chunk) => {
      received += chunk.latin1Slice();
      const head = received.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(received)[1]);
      if (received.length < head + 4 + length) return;
      const now = performance.now();
      const status = Number(received.slice(9, 12));
      answered?.(status, received.slice(head + 4));
      received = '';
      result.answers++;
      if (status !== 200) result.refused++;
      result.ms.push(now - sentAt);
      if (every === undefined) send();
      else setTimeout(send, Math.max(0, sentAt + every - now));
    });
    socket.on('error', reject);
    socket.on('close', () => resolve());
  });
}

/** The value below which that share of the sorted values lies. */
export function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

export function median(values) {
  return quantile(values, 0.5);
}
