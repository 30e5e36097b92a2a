import type { ObjectLiteral, Repository } from 'typeorm';
import type { Engine } from './engines/engine.js';
import { isCollision } from './faults.js';

/** Milliseconds between two attempts, the last of them again and again: what SQLite's own busy handler waits. */
const PAUSES = [1, 2, 5, 10, 15, 20, 25, 25, 25, 50];

/**
 * Makes an attempt again that another writer was in the way of. What is attempted is one statement, which has done
 * nothing where it fails so: by SQLite's lock, a deadlock or a serialization failure.
 *
 * SQLite's own way of waiting would hold the connection, and everybody who only wants to read would wait along.
 */
export class Patience {
  constructor(
    private readonly engine: Engine,
    /** For how long, from the first failure. */
    private readonly milliseconds: number,
  ) {}

  read<T>(attempt: () => Promise<T>): Promise<T> {
    return attempt().catch((error: unknown) => this.again(attempt, error));
  }

  write<T>(attempt: () => Promise<T>): Promise<T> {
    return this.read(this.engine.inTurn ? () => this.engine.inTurn!(attempt) : attempt);
  }

  private async again<T>(attempt: () => Promise<T>, error: unknown): Promise<T> {
    const deadline = performance.now() + this.milliseconds;
    for (let attempts = 0; ; attempts++) {
      const pause = PAUSES[Math.min(attempts, PAUSES.length - 1)]! * (0.75 + Math.random() / 2);
      if (!isCollision(error) || performance.now() + pause > deadline) {
        this.engine.failed?.(error);
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
      try {
        return await attempt();
      } catch (again) {
        error = again;
      }
    }
  }
}

/** The methods of a repository that are one statement, and so may be attempted again. */
const READING = new Set<string | symbol>(['find', 'findBy', 'findOne', 'findOneBy', 'existsBy', 'countBy']);
const WRITING = new Set<string | symbol>(['insert', 'update', 'delete', 'upsert', 'increment', 'query']);

/** The same repository, with patience. */
export function patientRepository<Entity extends ObjectLiteral>(
  repository: Repository<Entity>,
  patience: Patience,
): Repository<Entity> {
  return new Proxy(repository, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      if (!READING.has(name) && !WRITING.has(name)) return member.bind(target) as unknown;
      return (...args: unknown[]) => {
        // each attempt has its own: into what is inserted TypeORM writes what the engine returned, MariaDB's 0 for false
        const own = () => (name === 'insert' ? [{ ...(args[0] as object) }] : args);
        const attempt = () => member.apply(target, own()) as Promise<unknown>;
        return WRITING.has(name) ? patience.write(attempt) : patience.read(attempt);
      };
    },
  });
}
