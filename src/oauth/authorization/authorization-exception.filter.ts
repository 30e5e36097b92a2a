import { type ArgumentsHost, Catch, Inject } from '@nestjs/common';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { Catalogue } from '../../base/errors/catalogue.js';
import { exchangeOf } from '../../base/http/exchange-of.js';
import { PageExceptionFilter } from '../pages/page-exception.filter.js';
import { PageService } from '../pages/page.service.js';
import { AuthorizationAnswers } from './authorization-answers.js';
import { AuthorizationRefusal } from './authorization-refusal.js';

/** Tells the client what is meant for the client, and the user everything else. */
@Catch()
export class AuthorizationExceptionFilter extends PageExceptionFilter {
  constructor(
    @Inject(AUTH_OPTIONS) options: ResolvedAuthOptions,
    catalogue: Catalogue,
    pages: PageService,
    private readonly answers: AuthorizationAnswers,
  ) {
    super(options, catalogue, pages);
  }

  override catch(thrown: unknown, host: ArgumentsHost): void {
    if (!(thrown instanceof AuthorizationRefusal)) return super.catch(thrown, host);
    const http = exchangeOf(host);
    http.refusal = { reason: thrown.cause.reason };
    this.answers.error(http, thrown.target, thrown.cause).catch((error: unknown) => super.catch(error, host));
  }
}
