import cluster from 'node:cluster';
import { constants, fstatSync, openSync, writeSync } from 'node:fs';

/**
 * Lines are written some kilobytes at a time, in bytes: by one of several workers, what a pipe takes whole, so that theirs
 * don't mix.
 */
const WRITE_FROM = cluster.isWorker ? 4096 : 16_384;
/** How much may wait for an output that takes nothing, in bytes; what comes then is dropped and counted. */
const MOST_WAITING = 1024 * 1024;
/** How often buffered lines are written out, and how often an output is tried again that took nothing, in milliseconds. */
const WRITE_EVERY = 250;
const TRY_AGAIN_EVERY = 20;
/** How long the end of the process may wait for the output, in milliseconds. */
const LAST_CHANCE = 500;

/**
 * Writes the log without ever waiting for it: a pipe that nobody reads, a full disk or a reader that went away must not
 * keep the service from serving or ending. Lines that there is no room for are counted, and a line says so in their place.
 */
export class LogWriter {
  private lines: string[] = [];
  private size = 0;
  /** What has been taken in hand; a line of it may be written in part. */
  private chunk: Buffer = Buffer.alloc(0);
  private dropped = 0;
  private stalled = false;

  constructor(private readonly fd = standardOutput()) {
    setInterval(() => this.flush(), WRITE_EVERY).unref();
    process.on('exit', () => this.end());
  }

  /** A line, or several, with the end of the last. */
  write(line: string): void {
    const room = MOST_WAITING - this.chunk.length - this.size;
    if (room < (this.dropped > 0 ? MOST_WAITING / 2 : line.length)) {
      this.dropped++; // until there is room for many: one gap, not a gap at every second line
      return;
    }
    if (this.dropped > 0) this.tellDropped();
    this.add(line);
    if (this.size >= WRITE_FROM && !this.stalled) this.flush();
  }

  /** Writes what the output takes at this moment. */
  flush(): void {
    if (this.tryToWrite() || this.stalled) return;
    this.stalled = true;
    const again = setInterval(() => {
      if (!this.tryToWrite()) return;
      this.stalled = false;
      clearInterval(again);
    }, TRY_AGAIN_EVERY).unref();
  }

  private add(line: string): void {
    this.lines.push(line);
    this.size += Buffer.byteLength(line);
  }

  private tellDropped(): void {
    const msg = 'lines of the log were dropped: nothing took them';
    this.add(`${JSON.stringify({ level: 'warn', time: Date.now(), context: 'Log', dropped: this.dropped, msg })}\n`);
    this.dropped = 0;
  }

  /** @returns whether everything was written */
  private tryToWrite(): boolean {
    try {
      for (;;) {
        if (this.chunk.length === 0) {
          if (this.size === 0 && this.dropped > 0) this.tellDropped();
          if (this.size === 0) return true;
          this.chunk = this.take();
        }
        this.chunk = this.chunk.subarray(writeSync(this.fd, this.chunk));
      }
    } catch {
      return false; // EAGAIN, ENOSPC, EPIPE, EIO: whatever it is may pass
    }
  }

  /** The next lines that one write takes. */
  private take(): Buffer {
    let bytes = Buffer.byteLength(this.lines[0]!);
    let n = 1;
    for (; n < this.lines.length; n++) {
      const more = Buffer.byteLength(this.lines[n]!);
      if (bytes + more > WRITE_FROM) break;
      bytes += more;
    }
    this.size -= bytes;
    return Buffer.from(this.lines.splice(0, n).join(''));
  }

  private end(): void {
    const deadline = performance.now() + LAST_CHANCE;
    const sleeper = new Int32Array(new SharedArrayBuffer(4));
    while (!this.tryToWrite() && performance.now() < deadline) Atomics.wait(sleeper, 0, 0, 10);
  }
}

/**
 * Standard output, so that a write never waits. What could make it wait is opened once more, for the mode belongs to all
 * who share the descriptor; where that is not allowed (a socket, a pipe of another user) Node makes it so for all.
 */
function standardOutput(): number {
  if (fstatSync(1).isFile()) return 1;
  try {
    const { O_WRONLY, O_APPEND, O_NONBLOCK, O_NOCTTY } = constants;
    return openSync('/dev/fd/1', O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY);
  } catch {
    void process.stdout; // its first use opens it, and that sets O_NONBLOCK
    return 1;
  }
}
