import { Catch, Inject } from '@nestjs/common';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import type { AuthError } from '../../base/errors/auth.error.js';
import { OAuthExceptionFilter } from '../../base/errors/auth-exception.filter.js';
import { type OAuthWord, rowOf } from '../../base/errors/catalogue.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { languageOf } from '../../base/http/language.js';
import { PageService } from './page.service.js';

/** Shows a failure as a page, to a person: the sentence of the catalogue and nothing of what was sent. */
@Catch()
export class PageExceptionFilter extends OAuthExceptionFilter {
  constructor(
    @Inject(AUTH_OPTIONS) options: ResolvedAuthOptions,
    private readonly pages: PageService,
  ) {
    super(options);
  }

  protected override answer(
    http: HttpExchange,
    error: AuthError,
    word: OAuthWord,
    headers: Record<string, string>,
  ): void {
    const view = { problem: sentenceOf(http, error), requestId: http.requestId };
    this.pages.send(http, 'error', view, { status: word.status, headers });
  }
}

/** What went wrong, in the reader's language. */
export function sentenceOf(http: HttpExchange, error: AuthError, language = languageOf(http)): string {
  const row = rowOf(error.code);
  return (row.reasons[error.reason] ?? row.sentence)[language];
}
