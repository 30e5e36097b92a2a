import { Catch, Inject } from '@nestjs/common';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import type { AuthError } from '../../base/errors/auth.error.js';
import { OAuthExceptionFilter } from '../oauth-exception.filter.js';
import { Catalogue } from '../../base/errors/catalogue.js';
import type { OAuthWord } from '../../base/errors/error-table.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { languageOf } from '../../base/http/language.js';
import { PageService } from './page.service.js';

/** Shows a failure as a page, to a person: the sentence of the catalogue and nothing of what was sent. */
@Catch()
export class PageExceptionFilter extends OAuthExceptionFilter {
  constructor(
    @Inject(AUTH_OPTIONS) options: ResolvedAuthOptions,
    catalogue: Catalogue,
    private readonly pages: PageService,
  ) {
    super(options, catalogue);
  }

  protected override answer(
    http: HttpExchange,
    error: AuthError,
    word: OAuthWord,
    headers: Record<string, string>,
  ): void {
    const view = { problem: this.catalogue.sentence(error)[languageOf(http)], requestId: http.requestId };
    this.pages.send(http, 'error', view, { status: word.status, headers });
  }
}
