import { Injectable } from '@nestjs/common';
import { AuthError } from '../../base/errors/auth.error.js';
import { UserDirectory } from './user-directory.js';
import { UserService } from './user.service.js';
import { Users } from './users.js';

/**
 * The built-in user table, for what only it can do.
 * @throws AuthError permission_denied where a host application keeps the users
 */
@Injectable()
export class BuiltInUsers {
  constructor(
    private readonly users: Users,
    private readonly builtIn: UserDirectory,
    private readonly service: UserService,
  ) {}

  /** To find users. */
  directory(): UserDirectory {
    this.require();
    return this.builtIn;
  }

  /** To look after them. */
  table(): UserService {
    this.require();
    return this.service;
  }

  private require(): void {
    if (this.users !== this.builtIn) throw new AuthError('permission_denied', { reason: 'USERS_ELSEWHERE' });
  }
}
