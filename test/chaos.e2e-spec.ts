import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { check, type Event } from '../bench/chaos/checker.mjs';

type Happening = Partial<Event> & Pick<Event, 'did'>;

const USER = { user: 'ada', password: 1 };
const signIn = (more: Partial<Event> = {}): Happening => ({
  did: 'sign_in',
  ...USER,
  client: 'page',
  session: 's1',
  gave: 's1:1',
  ...more,
});
const refresh = (token: number, gave?: number, more: Partial<Event> = {}): Happening => ({
  did: 'refresh',
  session: 's1',
  token: `s1:${token}`,
  ...(gave === undefined ? { said: 'refused' } : { gave: `s1:${gave}` }),
  ...more,
});
const about = (did: string, more: Partial<Event> = {}): Happening => ({ did, session: 's1', ...more });
const act = (did: string, more: Partial<Event> = {}): Happening => ({ did, by: 'operator', user: 'ada', ...more });
const thief = { thief: true, device: 'another' };
const lost = { said: 'lost' as const, gave: undefined };
const refused = { said: 'refused' as const, gave: undefined };
/** A code from the session s1, redeemed for s2. */
const issue = about('issue', { code: 'c1' });
const redeem = (more: Partial<Event> = {}): Happening => ({
  did: 'redeem',
  code: 'c1',
  client: 'page',
  session: 's2',
  gave: 's2:1',
  ...more,
});
const refreshSecond = (gave?: string): Happening => ({
  ...about('refresh', { session: 's2', token: 's2:1' }),
  ...(gave === undefined ? refused : { gave }),
});

/** Happenings one after the other, 10 ms each with 10 ms between; what says when it happened is taken at its word. */
function history(...happenings: Happening[]): Event[] {
  return happenings.map((one, i) => ({ at: i * 20, end: i * 20 + 10, said: 'ok', ...one }));
}

const rulesBroken = (...happenings: Happening[]) =>
  check(history(...happenings), { window: 60_000, skew: 6000 }).map(({ rule }) => rule);

describe('the checker of the chaos', () => {
  it.each<[string, ...Happening[]]>([
    ['a chain of refreshes', signIn(), refresh(1, 2), refresh(2, 3), about('introspect')],
    ['an answer that was lost, and the token once more', signIn(), refresh(1, 2, lost), refresh(1, 2), refresh(2, 3)],
    ['two tabs with one token', signIn(), refresh(1, 2, { at: 20, end: 50 }), refresh(1, 2, { at: 25, end: 60 })],
    ['unavailable, which is no log-out', signIn(), refresh(1, 2, { said: 'unavailable' }), refresh(1, 2)],
    ['a refusal after a revoke', signIn(), about('revoke'), refresh(1)],
    ['a refusal after a revoke whose answer was lost', signIn(), about('revoke', lost), refresh(1)],
    ['a session that goes on after such a revoke', signIn(), about('revoke', lost), refresh(1, 2)],
    ['a refusal while a revoke is under way', signIn(), about('revoke', { end: 100 }), refresh(1)],
    ['a refusal after disable', signIn(), act('disable'), refresh(1), about('introspect', refused)],
    ['a sign-in after enable', act('disable'), act('enable'), signIn(), refresh(1, 2)],
    [
      'a sign-in during enable',
      act('disable'),
      act('enable', { end: 100 }),
      signIn({ at: 40, end: 50 }),
      refresh(1, 2),
    ],
    ['an end by a command that was killed', signIn(), act('disable', lost), refresh(1)],
    [
      'a new password',
      signIn(),
      act('set_password', { password: 2 }),
      refresh(1),
      signIn({ session: 's2', password: 2 }),
    ],
    [
      'a sign-in with the new password while it is being set',
      act('set_password', { password: 2, end: 100 }),
      signIn({ password: 2, at: 40, end: 60 }),
      refresh(1, 2, { at: 120, end: 130 }),
    ],
    [
      'sessions of others',
      signIn(),
      act('disable', { user: 'bob' }),
      act('revoke_client', { client: 'x' }),
      refresh(1, 2),
    ],
    ['a thief who was caught', signIn(), refresh(1, 2), refresh(2, 3), refresh(1, undefined, thief), refresh(3)],
    ['a thief who was first', signIn(), refresh(1, 2, thief), refresh(1), refresh(2, undefined, thief)],
    [
      'a code that was sent twice',
      signIn(),
      issue,
      redeem(),
      redeem({ ...refused, why: 'CODE_REUSED' }),
      refreshSecond(),
    ],
    [
      'a code that goes on when its sign-in is revoked',
      signIn(),
      issue,
      about('revoke'),
      redeem(),
      refreshSecond('s2:2'),
    ],
    [
      'a refresh that comes too late',
      signIn(),
      refresh(1, 2, lost),
      refresh(1, undefined, { at: 60_000, end: 60_001 }),
    ],
  ])('lets pass %s', (_, ...happenings) => {
    expect(rulesBroken(...happenings)).toEqual([]);
  });

  it.each<[string, string, ...Happening[]]>([
    ['logged out', 'a refusal out of the blue', signIn(), refresh(1, 2), refresh(2)],
    ['logged out', 'a repeat that is refused', signIn(), refresh(1, 2, lost), refresh(1)],
    ['logged out', 'a living session that is said to be dead', signIn(), about('introspect', refused)],
    ['logged out', 'an access token', signIn(), about('approve', { ...refused, why: 'ACCESS_TOKEN_INVALID' })],
    ['logged out', 'an act that was over before the sign-in', act('revoke_user'), signIn(), refresh(1)],
    ['logged out', 'a revoke that comes later', signIn(), refresh(1), about('revoke')],
    ['logged out', 'the act upon another', signIn(), act('disable', { user: 'bob' }), refresh(1)],
    ['two living tokens', 'a chain that forks', signIn(), refresh(1, 2), refresh(1, 3)],
    ['two living tokens', 'a chain that joins', signIn(), refresh(1, 2), refresh(9, 2)],
    ['two living tokens', 'a token for another session', signIn(), refresh(1, 2, { gaveSession: 's9' })],
    ['old token', 'a thief who is served', signIn(), refresh(1, 2), refresh(2, 3), refresh(1, 2, { thief: true })],
    ['old token', 'one that lives on', signIn(), refresh(1, 2), about('introspect_refresh', { token: 's1:1' })],
    ['two parties', 'two devices with one token', signIn(), refresh(1, 2, { device: 'a' }), refresh(1, 2, thief)],
    ['worked after its end', 'a revoke', signIn(), about('revoke'), refresh(1, 2)],
    ['worked after its end', 'introspection', signIn(), about('revoke'), about('introspect')],
    ['worked after its end', 'a refusal', signIn(), about('revoke', lost), refresh(1), refresh(1, 2)],
    ['worked after its end', 'a theft', signIn(), refresh(1, 2), refresh(1, undefined, thief), refresh(2, 3)],
    ['worked after its end', 'disable', signIn(), act('disable'), refresh(1, 2)],
    [
      'worked after its end',
      'a sign-in under way',
      signIn({ end: 30 }),
      act('disable', { at: 5, end: 35 }),
      refresh(1, 2),
    ],
    ['worked after its end', 'a sign-in meanwhile', act('disable'), signIn(), act('enable')],
    ['worked after its end', 'the old session', signIn(), act('set_password', { password: 2 }), refresh(1, 2)],
    ['worked after its end', 'the old password', act('set_password', { password: 2 }), signIn()],
    ['worked after its end', 'a sign-out everywhere', signIn(), act('sign_out_all'), refresh(1, 2)],
    ['worked after its end', 'sessions revoke --user', signIn(), act('revoke_user'), refresh(1, 2)],
    [
      'worked after its end',
      'sessions revoke --client',
      signIn(),
      act('revoke_client', { client: 'page' }),
      refresh(1, 2),
    ],
    ['worked after its end', 'a code from before', signIn(), issue, act('revoke_client', { client: 'page' }), redeem()],
    ['worked after its end', 'a code of the user', signIn(), issue, act('disable'), redeem()],
    [
      'worked after its end',
      'a code that was sent twice',
      ...[
        signIn(),
        issue,
        redeem(),
        redeem({ ...refused, session: undefined, why: 'CODE_REUSED' }),
        refreshSecond('s2:2'),
      ],
    ],
    ['code twice', 'an authorization code', signIn(), issue, redeem(), redeem({ session: 's3', gave: 's3:1' })],
    ['code twice', 'a device code', redeem({ did: 'poll' }), redeem({ did: 'poll', session: 's3', gave: 's3:1' })],
    ['fault', 'an internal error', signIn(), refresh(1, 2, { said: 'fault', gave: undefined })],
    ['fault', 'a node that ends by itself', about('serve', { said: 'fault', session: undefined })],
  ])('finds "%s": %s', (rule, _, ...happenings) => {
    expect(rulesBroken(...happenings)).toEqual([rule]);
  });

  it('shows no more of the history than it takes', () => {
    const others = [signIn({ session: 's7', gave: 's7:1' }), refresh(1, 2), refresh(2, 3)];
    const [signedIn, , , , revoked, refreshed] = history(signIn(), ...others, about('revoke'), refresh(3, 4));
    const why = 's1 worked after its end was answered';
    expect(check(history(signIn(), ...others, about('revoke'), refresh(3, 4)))).toEqual([
      { rule: 'worked after its end', why, events: [signedIn, revoked, refreshed] },
    ]);
  });
});

describe('npm run chaos', () => {
  it('finds no rule broken', async () => {
    const script = resolve(__dirname, '../bench/chaos/run.mjs');
    const run = spawn(process.execPath, [script, '--seconds', '15', '--seed', '1'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 200_000, // whatever becomes of the test
    });
    const [said, [code]] = await Promise.all([text(run.stdout), once(run, 'exit')]);
    expect(said).toMatch(/^seed 1\n/);
    expect(said).toMatch(/\n *[3-9] {2}kills\n|\n *\d\d {2}kills\n/);
    expect(said).toMatch(/\nNo rule was broken\.\n$/);
    expect(code).toBe(0);
  }, 240_000);
});
