import { Catch, Inject } from '@nestjs/common';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import type { AuthError } from '../../base/errors/auth.error.js';
import { OAuthExceptionFilter } from '../oauth-exception.filter.js';
import { Catalogue } from '../../base/errors/catalogue.js';
import type { OAuthWord } from '../../base/errors/error-table.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { languageOf } from '../../base/http/language.js';
import { localPath } from '../../base/http/local-path.js';
import { PageService } from './page.service.js';
import type { Way } from './way.js';

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
    const problem = this.catalogue.sentence(error)[languageOf(http)];
    const show = (ways: Way[]) =>
      this.pages.send(http, 'error', { problem, requestId: http.requestId, ways }, { status: word.status, headers });
    this.waysOn(http, error)
      .catch(() => this.ownWays(http)) // the database may be what failed
      .then(show)
      .catch(() => http.abort());
  }

  /** Where the person can go on from here. */
  protected waysOn(...[http]: [http: HttpExchange, error: AuthError]): Promise<Way[]> {
    return Promise.resolve(this.ownWays(http));
  }

  private ownWays({ path }: HttpExchange): Way[] {
    return /\/oauth2\/logout(\/|$)/.test(path)
      ? [{ href: localPath(this.options, '/oauth2/logout'), text: 'account.sign-out' }]
      : [{ href: localPath(this.options, '/device'), text: 'device.title' }];
  }
}
