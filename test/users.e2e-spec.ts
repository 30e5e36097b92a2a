import { hash } from '@node-rs/argon2';
import { UserService } from '../src/core/users/user.service.js';
import { PasswordHasher } from '../src/core/users/password-hasher.js';
import { expectError, type Service, startService } from './service.js';

describe('users', () => {
  let service: Service;

  beforeEach(async () => {
    service = await startService({ auth: { hashingConcurrency: 1, hashingQueue: 2, limitAccount: false } });
    await service.client({ id: 'app' });
  });
  afterEach(() => service.close());

  const signIn = (username = 'ada', password = 'correct horse') =>
    service.token({ client_id: 'app', grant_type: 'password', username, password });
  const stored = async () => {
    const [row] = await service.sql('SELECT * FROM auth_user');
    return row!['password_hash'] as string;
  };

  it("are kept with argon2id at OWASP's parameters, under their normalized name", async () => {
    await service.user('  Ａｄａ ', 'correct horse');
    expect(await stored()).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect((await service.app.get(UserService).list())[0]!.username).toBe('ada');
  });

  it.each([
    ['ada', 'ADA'],
    ['straße', 'STRASSE'],
    ['ﬁona', 'FIONA'],
  ])('%s and %s are one name', async (one, other) => {
    await service.user(one, 'correct horse');
    await expect(service.user(other, 'correct horse')).rejects.toThrow('USERNAME_TAKEN');
  });

  it.each(['', '   ', 'a\u0000b', 'a\u200bb', 'x'.repeat(129)])('%j is no name', async (name) => {
    await expect(service.user(name, 'correct horse')).rejects.toThrow('username: is empty, too long');
  });

  it('have their password hashed again when the parameters have changed', async () => {
    await service.user('ada', 'correct horse');
    const weak = await hash('correct horse', { memoryCost: 8192, timeCost: 1 });
    await service.sql('UPDATE auth_user SET password_hash = ?', [weak]);
    expect((await signIn()).status).toBe(200);
    expect(await stored()).toMatch(/m=19456,t=2,p=1/);
    expect((await signIn()).status).toBe(200);
  });

  it('queue for hashing, and are told to come back at once where the queue is full', async () => {
    await service.user('ada', 'correct horse');
    const hasher = service.app.get(PasswordHasher);
    const verify = hasher.verify.bind(hasher);
    let release!: () => void;
    const held = new Promise<void>((resolve) => (release = resolve));
    let arrived = 0;
    hasher.verify = async (...args) => {
      arrived++;
      await held;
      return verify(...args);
    };
    const answers = Array.from({ length: 6 }, () => signIn());
    const refused = [await Promise.any(answers)];
    release();
    const all = await Promise.all(answers);
    expect(arrived).toBe(3);
    expect(all.map((answer) => answer.status).sort()).toEqual([200, 200, 200, 503, 503, 503]);
    expectError(refused[0]!, {
      error: 'unavailable',
      reason: 'SIGN_IN_QUEUE_FULL',
      message: 'Too many sign-ins at once; try again shortly.',
      retryAfter: 1,
    });
  });

  it('that do not exist cost a hash too, so that time tells nothing', async () => {
    const hasher = service.app.get(PasswordHasher);
    const verify = hasher.verify.bind(hasher);
    const compared: string[] = [];
    hasher.verify = (hashed, password) => {
      compared.push(hashed);
      return verify(hashed, password);
    };
    expect((await signIn('nobody')).status).toBe(400);
    expect(compared).toEqual([expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)]);
  });
});
