import { Injectable } from '@nestjs/common';
import { Clock } from '../../base/clock.js';
import { moment } from '../../base/commands/command.js';
import { ClientService } from '../clients/client.service.js';
import { holds, Users } from '../users/users.js';
import { AccessTokenService } from './access-token.service.js';
import { type EndActor, type EndReason, type Ending, outdated } from './ending.js';
import { RefreshTokens } from './refresh-token.js';
import type { Session } from './session.entity.js';
import { SessionService } from './session.service.js';

/** What a token that somebody brings is to its session. */
export type TokenState = 'living' | 'replaced' | 'older' | 'newer' | 'access_token';

/** Why a session is as it is. */
export interface SessionStory {
  session: Session;
  /** `outdated`: it goes on, but its next refresh will be refused, and end it. */
  state: 'alive' | 'outdated' | 'expired' | 'ended';
  /** When it ended, in milliseconds since the Unix epoch; undefined: it has not. */
  at?: number;
  ending?: Ending;
  token?: TokenState;
}

/** Tells why a user was signed out, out of what the session's row keeps until it would have expired. */
@Injectable()
export class SessionStories {
  constructor(
    private readonly sessions: SessionService,
    private readonly refreshTokens: RefreshTokens,
    private readonly accessTokens: AccessTokenService,
    private readonly users: Users,
    private readonly clients: ClientService,
    private readonly clock: Clock,
  ) {}

  /** @returns undefined where there is no such session any more, or never was */
  async of(id: string): Promise<SessionStory | undefined> {
    const session = await this.sessions.find(id);
    return session && this.tell(session);
  }

  /**
   * Of a refresh token, or an access token, however old.
   * @returns undefined where there is no such session any more; null where it is no token of ours
   */
  async ofToken(token: string): Promise<SessionStory | undefined | null> {
    const read = this.refreshTokens.read(token);
    const sessionId = read?.sessionId ?? (await this.accessTokens.verify(token, { expired: true }))?.sid;
    if (sessionId === undefined) return null;
    const story = await this.of(sessionId);
    return story && { ...story, token: read ? stateOf(read.generation - story.session.generation) : 'access_token' };
  }

  private async tell(session: Session): Promise<SessionStory> {
    if (session.revoked_at !== null) {
      return { session, state: 'ended', at: session.revoked_at, ending: endingOf(session) };
    }
    if (session.expires_at <= this.clock.now()) return { session, state: 'expired', at: session.expires_at };
    const ending = await this.nextEnding(session);
    return { session, state: ending ? 'outdated' : 'alive', ending };
  }

  /** How it will end at its next refresh; undefined: it will not. */
  private async nextEnding(session: Session): Promise<Ending | undefined> {
    const client = await this.clients.standing(session.client_id);
    if (!client) return { reason: 'CLIENT_DISABLED', by: 'server' };
    const user = await this.users.find(session.sub, { fresh: true });
    return user && holds(user, { ...session, sessionId: session.id }) ? undefined : outdated(user);
  }
}

function endingOf({ end_reason, ended_by, ended_from, ended_by_device }: Session): Ending | undefined {
  if (end_reason === null || ended_by === null) return undefined;
  return { reason: end_reason, by: ended_by, from: ended_from ?? undefined, device: ended_by_device ?? undefined };
}

function stateOf(ahead: number): TokenState {
  if (ahead === 0) return 'living';
  return ahead > 0 ? 'newer' : ahead === -1 ? 'replaced' : 'older';
}

const ACTORS: Record<EndActor, string> = {
  user: 'the user',
  client: 'the client',
  operator: 'an operator',
  server: "the service's own rule",
};

const REASONS: Record<EndReason, string> = {
  SIGNED_OUT: 'the user signed out',
  DEVICE_SIGNED_OUT: 'the user signed this device out',
  DEVICE_LIMIT: 'the user signed in on another device, and may be signed in on so many at once',
  CREDENTIALS_CHANGED: 'what the user signs in by was changed, which ends what the old one opened',
  USER_DISABLED: 'the user was disabled',
  USER_PENDING: 'the user was made to wait for approval',
  CLIENT_DISABLED: 'the client was disabled',
  CLIENT_CHANGED: 'what the client may do was changed, and the session rested on what it lost',
  SESSION_REVOKED: 'it was ended, or its user is gone',
  REFRESH_TOKEN_REUSED: 'a refresh token was used again that had been replaced, so two parties held one',
  CODE_REUSED: 'the authorization code that opened it was used twice, so two parties held it',
};

const TOKENS: Record<TokenState, string> = {
  living: 'this refresh token is the living one',
  replaced: 'this refresh token is the one before the living one',
  older: 'this refresh token was replaced more than once',
  newer: 'this refresh token is newer than the database, which lost a rotation (a power cut, a restored backup)',
  access_token: 'this is an access token of it',
};

/** A story as one person tells it another. */
export function told({ session, state, at, ending, token }: SessionStory): string {
  const { id, sub, client_id, device_id, created_at, rotated_at, expires_at } = session;
  return [
    `session ${id} of the user ${sub} at the client ${client_id}`,
    `signed in ${moment(created_at)}${on(device_id)}`,
    ...(rotated_at === null ? [] : [`last refreshed ${moment(rotated_at)}${on(session.rotated_by_device)}`]),
    ...(token === undefined ? [] : [TOKENS[token]]),
    ...endOf(state, at ?? expires_at, ending),
    ...(ending?.reason === 'REFRESH_TOKEN_REUSED' ? [partiesOf(session, ending)] : []),
  ].join('\n');
}

function endOf(state: SessionStory['state'], at: number, ending: Ending | undefined): string[] {
  if (state === 'alive') return [`it is alive, until ${moment(at)} at the latest`];
  if (state === 'expired')
    return [`expired ${moment(at)}: a session lasts from its sign-in on, and refreshing never extends it`];
  if (state === 'outdated') return [`its next refresh will be refused (${ending!.reason}): ${REASONS[ending!.reason]}`];
  if (!ending) return [`ended ${moment(at)}; why, was not kept then`];
  const { reason, by, from, device } = ending;
  const where = from === undefined ? '' : ` from ${from}`;
  return [`ended ${moment(at)} (${reason}): ${REASONS[reason]}`, `by ${ACTORS[by]}${where}${on(device)}`];
}

/** Who exchanged the token first, and who came with it again. */
function partiesOf({ rotated_at, rotated_by_device }: Session, { from, device }: Ending): string {
  const first = `one party exchanged it${rotated_at === null ? '' : ` ${moment(rotated_at)}`}${on(rotated_by_device, true)}`;
  return `${first}; the other came with it${from === undefined ? '' : ` from ${from}`}${on(device, true)}`;
}

function on(device: string | null | undefined, always = false): string {
  if (device !== null && device !== undefined) return ` on the device ${device}`;
  return always ? ' without a device id' : '';
}
