// The database, and how it goes away: a SQLite file is locked by somebody else; in front of a server stand proxies, one
// for each node, that cut their connections and let nobody in for a while. The server itself is left alone.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import sqlite3 from 'sqlite3';

const PORTS = { 'postgres:': 5432, 'postgresql:': 5432, 'mysql:': 3306, 'mariadb:': 3306 };

/** @returns the URL for each of so many nodes; `away(ms, dice)` takes the database away; `close()` */
export function openDatabase(url, nodes) {
  return url.startsWith('sqlite:') ? openFile(url, nodes) : openServer(url, nodes);
}

async function openFile(url, nodes) {
  const locker = new sqlite3.Database(url.slice('sqlite:'.length));
  locker.configure('busyTimeout', 10_000);
  const run = (sql) =>
    new Promise((resolve, reject) => locker.run(sql, (error) => (error ? reject(error) : resolve())));
  return {
    urls: Array.from({ length: nodes }, () => url),
    async away(ms) {
      await run('BEGIN EXCLUSIVE');
      await sleep(ms);
      await run('COMMIT');
    },
    close: () => locker.close(),
  };
}

async function openServer(url, nodes) {
  const { hostname, port, protocol } = new URL(url);
  const lines = await Promise.all(
    Array.from({ length: nodes }, () => openLine(hostname, Number(port) || PORTS[protocol])),
  );
  return {
    urls: lines.map((line) => {
      const there = new URL(url);
      there.hostname = '127.0.0.1';
      there.port = String(line.port);
      return there.href;
    }),
    /** From one node or from all; now and then its connections are cut and may come back at once. */
    async away(ms, dice) {
      const cut = dice.chance(0.5) ? lines : [dice.pick(lines)];
      for (const line of cut) line.cut();
      await sleep(dice.chance(0.3) ? 0 : ms);
      for (const line of cut) line.mend();
    },
    close: () => lines.forEach((line) => line.close()),
  };
}

async function openLine(host, port) {
  const sockets = new Set();
  let isCut = false;
  const server = createServer((near) => {
    if (isCut) return near.destroy();
    const far = connect({ host, port, noDelay: true });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ]) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => (sockets.delete(one), other.destroy()));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: server.address().port,
    cut,
    mend: () => (isCut = false),
    close: () => (cut(), server.close()),
  };
}
