import type { AuthError } from '../../base/errors/auth.error.js';
import type { AuthorizationTarget } from './pending-authorization.js';

/** An error that the client is told of, at its redirect_uri (RFC 6749 §4.1.2.1). Any other is shown to the user. */
export class AuthorizationRefusal extends Error {
  constructor(
    readonly target: AuthorizationTarget,
    override readonly cause: AuthError,
  ) {
    super(cause.message);
    this.name = 'AuthorizationRefusal';
  }
}
