import { UserRow } from '../../src/core/users/user.entity.js';
import { AuthDatabase } from '../../src/base/database/auth-database.js';
import { UserService } from '../../src/core/users/user.service.js';
import { type Answer, expectRefusal, GOOD, invalid, livesOn, startTarget, type Target } from './wire.js';

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;

describe('user enumeration', () => {
  let target: Target;

  beforeAll(async () => {
    target = await startTarget();
    await target.user('no-password', 'gone in a moment');
    await target.app.get(AuthDatabase).repository(UserRow).update({ username: 'no-password' }, { password_hash: null });
    const id = await target.user('disabled', 'the right password');
    await target.app.get(UserService).setDisabled(id, true);
  });
  livesOn(() => target);

  const CASES: [string, object][] = [
    ['a wrong password', { password: 'wrong' }],
    ['an unknown user', { username: 'nobody', password: 'wrong' }],
    ['a user without a password', { username: 'no-password', password: 'gone in a moment' }],
    ['a disabled user and a wrong password', { username: 'disabled', password: 'wrong' }],
    ['a username that nobody can have', { username: 'ada@example.com\u200b', password: 'wrong' }],
    ['a username too long to be stored', { username: 'x'.repeat(256), password: 'wrong' }],
    ['a username of spaces', { username: '   ', password: 'wrong' }],
  ];
  const visible = ({ status, body, headers }: Answer) => {
    const seen = { ...headers };
    for (const name of ['date', 'x-request-id', 'connection', 'keep-alive']) delete seen[name];
    return { status, headers: seen, text: JSON.stringify(body).replace(String(headers['x-request-id']), '') };
  };

  it('learns nothing from the answer', async () => {
    const [first, ...others] = await Promise.all(CASES.map(([, wrong]) => target.post({ ...GOOD, ...wrong })));
    expectRefusal(first!, { ...invalid('WRONG_USERNAME_OR_PASSWORD'), message: 'The username or password is wrong.' });
    for (const other of others) expect(visible(other)).toEqual(visible(first!));
  });

  it('learns nothing from the time', async () => {
    const times = new Map<string, number[]>(CASES.map(([what]) => [what, []]));
    for (let round = 0; round < 15; round++) {
      for (const [what, wrong] of CASES) {
        const began = performance.now();
        await target.post({ ...GOOD, ...wrong });
        times.get(what)!.push(performance.now() - began);
      }
    }
    const medians = [...times.values()].map(median);
    // a password hash is the larger part of each: whoever skipped it would be several times faster
    expect(Math.max(...medians) / Math.min(...medians)).toBeLessThan(2);
  }, 30_000);

  it('learns of a disabling with the right password only', async () => {
    expectRefusal(await target.post({ ...GOOD, username: 'disabled', password: 'the right password' }), {
      error: 'permission_denied',
      reason: 'USER_DISABLED',
    });
  });

  it('learns nothing from a scope or a client that is refused before the password', async () => {
    for (const username of [GOOD.username, 'nobody']) {
      const scope = await target.post({ ...GOOD, username, password: 'wrong', scope: 'admin' });
      expectRefusal(scope, { error: 'invalid_scope', reason: 'SCOPE_NOT_ALLOWED' });
      const client = await target.post({ ...GOOD, username, password: 'wrong', client_id: 'nobody' });
      expectRefusal(client, { error: 'invalid_client', reason: 'CLIENT_UNKNOWN' });
    }
  });
});
