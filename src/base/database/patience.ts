import type { ObjectLiteral, Repository } from 'typeorm';
import { isCollision } from './faults.js';

/** Milliseconds between two attempts, the last of them again and again: what SQLite's own busy handler waits. */
const PAUSES = [1, 2, 5, 10, 15, 20, 25, 25, 25, 50];

/**
 * Makes an attempt again that another writer was in the way of, for at most `patience` milliseconds. What is attempted is
 * one statement, which has done nothing where it fails so: by SQLite's lock, a deadlock or a serialization failure.
 *
 * SQLite's own way of waiting would hold the connection, and everybody who only wants to read would wait along.
 */
export function patiently<T>(patience: number, attempt: () => Promise<T>): Promise<T> {
  return attempt().catch(async (error: unknown) => {
    const deadline = performance.now() + patience;
    for (let attempts = 0; ; attempts++) {
      const pause = PAUSES[Math.min(attempts, PAUSES.length - 1)]! * (0.75 + Math.random() / 2);
      if (!isCollision(error) || performance.now() + pause > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
      try {
        return await attempt();
      } catch (again) {
        error = again;
      }
    }
  });
}

/** The methods of a repository that are one statement, and so may be attempted again. */
const SINGLE = new Set<string | symbol>([
  ...['find', 'findBy', 'findOne', 'findOneBy', 'existsBy', 'countBy', 'query'],
  ...['insert', 'update', 'delete', 'upsert', 'increment'],
]);

/** The same repository, with patience. */
export function patientRepository<Entity extends ObjectLiteral>(
  repository: Repository<Entity>,
  patience: number,
): Repository<Entity> {
  return new Proxy(repository, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      if (!SINGLE.has(name)) return member.bind(target) as unknown;
      return (...args: unknown[]) => patiently(patience, () => member.apply(target, args) as Promise<unknown>);
    },
  });
}
