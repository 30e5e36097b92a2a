import { Catch } from '@nestjs/common';
import type { AuthError } from '../base/errors/auth.error.js';
import { AuthExceptionFilter } from '../base/errors/auth-exception.filter.js';
import type { OAuthWord } from '../base/errors/error-table.js';

/** The same body in the words of the standards, for the routes under /oauth2. */
@Catch()
export class OAuthExceptionFilter extends AuthExceptionFilter {
  protected override wordOf(error: AuthError): OAuthWord {
    return this.catalogue.oauthWord(error);
  }
}
