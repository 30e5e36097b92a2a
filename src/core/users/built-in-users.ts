import { Injectable } from '@nestjs/common';
import { AuthError } from '../../base/errors/auth.error.js';
import { UserService } from './user.service.js';
import { Users } from './users.js';

/** The built-in user table, for what only it can do; where a host keeps the users, that is refused. */
@Injectable()
export class BuiltInUsers {
  constructor(
    private readonly users: Users,
    private readonly builtIn: UserService,
  ) {}

  /** @throws AuthError permission_denied where a host application keeps the users */
  table(): UserService {
    if (this.users !== this.builtIn) throw new AuthError('permission_denied', { reason: 'USERS_ELSEWHERE' });
    return this.builtIn;
  }
}
