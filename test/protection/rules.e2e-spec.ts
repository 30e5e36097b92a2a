import {
  type CanActivate,
  type CallHandler,
  Controller,
  createParamDecorator,
  type ExecutionContext,
  Get,
  Injectable,
  type NestInterceptor,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { map, type Observable } from 'rxjs';
import request from 'supertest';
import {
  type AccessToken,
  AccessTokenGuard,
  BearerToken,
  type GuardedRequest,
  OptionalToken,
  Public,
  RequireAuthentication,
  RequireGroups,
  RequireScopes,
} from '../../src/index.js';
import { embedded, type Guarded, remote } from './guarded.js';

/** As a host writes them: they know the request alone. */
const User = createParamDecorator((_: unknown, context: ExecutionContext) => {
  return context.switchToHttp().getRequest<GuardedRequest>().user;
});

@Injectable()
class AdaGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<GuardedRequest>().auth?.client_id === 'app';
  }
}

@Injectable()
class StampInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { auth } = context.switchToHttp().getRequest<GuardedRequest>();
    return next.handle().pipe(map((body: object) => ({ ...body, stamp: auth?.sub })));
  }
}

@Controller('seen')
@UseGuards(AccessTokenGuard, AdaGuard)
@UseInterceptors(StampInterceptor)
class SeenController {
  @Get()
  seen(@User() user: AccessToken, @BearerToken() token: AccessToken) {
    return { user: user.sub, same: user === token };
  }
}

/** A guard of the host that runs before, and knows users of its own. */
@Injectable()
class HostUserGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    context.switchToHttp().getRequest<GuardedRequest>().user = { name: 'host' };
    return true;
  }
}

@Controller('own-user')
@UseGuards(HostUserGuard, AccessTokenGuard)
class OwnUserController {
  @Get()
  seen(@User() user: unknown, @BearerToken() token: AccessToken) {
    return { user, token: token.sub };
  }
}

/** Whoever this is put on does not want to be asked by name. */
const who = (token?: AccessToken) => ({ who: token?.sub ?? 'nobody' });

@Controller('mixed')
@UseGuards(AccessTokenGuard)
class MixedController {
  @Get('guarded')
  guarded(@BearerToken() token: AccessToken) {
    return who(token);
  }

  @Get('public')
  @Public()
  open() {
    return who();
  }

  @Get('public-but-asking')
  @Public()
  asking(@BearerToken() token: AccessToken) {
    return who(token);
  }

  @Get('public-and-guarded')
  @Public()
  @UseGuards(AccessTokenGuard)
  contradiction() {
    return who();
  }

  @Get('public-and-scoped')
  @Public()
  @RequireScopes('orders')
  scoped() {
    return who();
  }

  @Get('optional')
  @OptionalToken()
  optional(@BearerToken() token?: AccessToken) {
    return who(token);
  }

  @Get('optional-scoped')
  @OptionalToken()
  @RequireScopes('orders')
  optionalScoped(@BearerToken() token?: AccessToken) {
    return who(token);
  }
}

@Controller('open')
@Public()
class OpenController {
  @Get()
  open() {
    return who();
  }

  @Get('guarded')
  @UseGuards(AccessTokenGuard)
  guarded(@BearerToken() token: AccessToken) {
    return who(token);
  }

  @Get('scoped')
  @UseGuards(AccessTokenGuard)
  @RequireScopes('orders')
  scoped(@BearerToken() token: AccessToken) {
    return who(token);
  }

  @Get('token-of-nobody')
  nobody(@BearerToken() token: AccessToken) {
    return who(token);
  }
}

@Controller('groups')
@UseGuards(AccessTokenGuard)
@RequireGroups('staff')
class GroupsController {
  @Get()
  staff() {
    return who();
  }

  @Get('both')
  @RequireGroups('admins')
  both() {
    return who();
  }

  @Get('either')
  @RequireGroups(['admins', 'auditors'])
  either() {
    return who();
  }
}

@Controller('fresh')
@UseGuards(AccessTokenGuard)
@RequireAuthentication({ maxAge: 300 })
class FreshController {
  @Get()
  fresh() {
    return who();
  }

  @Get('very')
  @RequireAuthentication({ maxAge: 60 })
  very() {
    return who();
  }
}

const UNAUTHORIZED = { statusCode: 401, message: 'Unauthorized' };
const FORBIDDEN = { statusCode: 403, message: 'Forbidden' };
const NO_TOKEN = 'Bearer realm="auth", DPoP realm="auth", algs="ES256 RS256 PS256 EdDSA Ed25519"';
const INVALID = 'Bearer realm="auth", error="invalid_token"';

const controllers = [
  SeenController,
  OwnUserController,
  MixedController,
  OpenController,
  GroupsController,
  FreshController,
];

describe.each([
  ['the application issues tokens itself', embedded],
  ['another service does', remote],
])('routes behind AccessTokenGuard, where %s,', (_where, start) => {
  let guarded: Guarded;
  beforeAll(async () => {
    guarded = await start({ controllers });
  });
  afterAll(() => guarded?.close());

  const get = (path: string, token?: string) => {
    const sent = request(guarded.url).get(path);
    return token === undefined ? sent : sent.set('authorization', `Bearer ${token}`);
  };

  it('find the claims on the request, as request.auth and request.user', async () => {
    const answer = await get('/seen', await guarded.signIn());
    expect([answer.status, answer.body]).toEqual([200, { user: guarded.sub, same: true, stamp: guarded.sub }]);
  });

  it('keep the user that the host has put there', async () => {
    const answer = await get('/own-user', await guarded.signIn());
    expect(answer.body).toEqual({ user: { name: 'host' }, token: guarded.sub });
  });

  it.each<[string, string, boolean, number, object]>([
    ['guarded', 'without a token', false, 401, UNAUTHORIZED],
    ['public', 'without a token', false, 200, { who: 'nobody' }],
    ['public', 'with a token, which is not looked at', true, 200, { who: 'nobody' }],
    ['public-and-guarded', 'which are guarded', false, 401, UNAUTHORIZED],
    ['public-and-scoped', 'which are guarded', false, 401, UNAUTHORIZED],
    ['optional', 'without a token', false, 200, { who: 'nobody' }],
    ['optional-scoped', 'without a token', false, 200, { who: 'nobody' }],
    ['optional-scoped', 'with a token of too small a scope', true, 403, FORBIDDEN],
  ])('%s ones, %s', async (path, _, isSent, status, body) => {
    const answer = await get(`/mixed/${path}`, isSent ? guarded.sign() : undefined);
    expect([answer.status, answer.body]).toEqual([status, body]);
  });

  it('know who an optional token is of', async () => {
    expect((await get('/mixed/optional', await guarded.signIn())).body).toEqual({ who: guarded.sub });
    expect((await get('/mixed/optional-scoped', await guarded.signIn())).body).toEqual({ who: guarded.sub });
  });

  it.each<[string, string, string]>([
    ['expired', 'Bearer expired', INVALID],
    ['garbage', 'Bearer garbage', INVALID],
    ['empty', 'Bearer', NO_TOKEN],
    ['two words', 'Bearer a b', NO_TOKEN],
    ['without a proof', 'DPoP a', 'DPoP realm="auth", error="invalid_token", algs="ES256 RS256 PS256 EdDSA Ed25519"'],
    ['malformed', 'dpop "a"', NO_TOKEN],
  ])('never take a bad optional token: %s', async (_, authorization, challenge) => {
    const sent = authorization.replace('expired', guarded.sign({ exp: 1 }));
    const answer = await request(guarded.url).get('/mixed/optional').set({ authorization: sent });
    expect([answer.status, answer.body, answer.headers['www-authenticate']]).toEqual([401, UNAUTHORIZED, challenge]);
  });

  it('take credentials of another scheme for none, where a token is optional', async () => {
    const answer = await request(guarded.url).get('/mixed/optional').set({ authorization: 'Basic eDp5' });
    expect(answer.body).toEqual({ who: 'nobody' });
  });

  it('of a public controller are open, but for those that are guarded themselves', async () => {
    expect((await get('/open')).body).toEqual({ who: 'nobody' });
    expect((await get('/open/guarded')).body).toEqual(UNAUTHORIZED);
    expect((await get('/open/scoped')).body).toEqual(UNAUTHORIZED);
    expect((await get('/open/guarded', await guarded.signIn())).body).toEqual({ who: guarded.sub });
    expect((await get('/open/scoped', guarded.sign())).body).toEqual(FORBIDDEN);
  });

  it('that are public have no token to give', async () => {
    for (const path of ['/open/token-of-nobody', '/mixed/public-but-asking']) {
      expect((await get(path, guarded.sign())).status).toBe(500);
    }
  });

  it.each<[string, string[], number]>([
    ['', ['staff'], 200],
    ['', ['staffing', 'admins'], 403],
    ['', [], 403],
    ['/both', ['staff', 'admins'], 200],
    ['/both', ['staff'], 403],
    ['/both', ['admins'], 403],
    ['/either', ['staff', 'auditors'], 200],
    ['/either', ['staff', 'others'], 403],
  ])('want groups: %s with %j → %i', async (path, groups, status) => {
    const answer = await get(`/groups${path}`, guarded.sign({ groups }));
    expect([answer.status, answer.body]).toEqual([status, status === 200 ? { who: 'nobody' } : FORBIDDEN]);
    expect(answer.headers['www-authenticate']).toBeUndefined();
  });

  it('take a token without any for one of no group and no scope', async () => {
    const token = guarded.sign({ groups: undefined, scope: undefined });
    expect((await get('/groups', token)).status).toBe(403);
    expect((await get('/open/scoped', token)).status).toBe(403);
  });

  it('find the groups of the user in the token', async () => {
    expect((await get('/groups', await guarded.signIn())).status).toBe(200);
  });

  it('want a user who has just signed in (RFC 9470), and say how fresh', async () => {
    const token = await guarded.signIn();
    expect((await get('/fresh/very', token)).status).toBe(200);
    guarded.clock.advance(61);
    expect((await get('/fresh', token)).status).toBe(200);
    const stale = await get('/fresh/very', token);
    expect([stale.status, stale.body, stale.headers['www-authenticate']]).toEqual([
      401,
      UNAUTHORIZED,
      'Bearer realm="auth", error="insufficient_user_authentication", max_age="60"',
    ]);
    guarded.clock.advance(240);
    expect((await get('/fresh', token)).headers['www-authenticate']).toMatch('max_age="300"');
    expect((await get('/fresh', await guarded.signIn())).status).toBe(200);
  });

  it('do not take a client for a user who has just signed in', async () => {
    expect((await get('/fresh', guarded.sign())).status).toBe(401);
  });
});
