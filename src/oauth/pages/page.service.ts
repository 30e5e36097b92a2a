import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { languageOf } from '../../base/http/language.js';
import type { Language } from '../../base/languages.js';
import { Pages } from './pages.js';
import type { PageName, Views } from './views.js';
import { type HttpExchange, NO_STORE } from '../../base/http/http-exchange.js';

export interface PageSettings {
  /** 200 unless said otherwise. */
  status?: number;
  /** What the page's forms carry as `csrf`. */
  csrf?: string;
  /** Where its forms, and what answers them, may lead besides to us: sources of CSP. */
  formAction?: string[];
  /** Where its images may come from besides us: sources of CSP. */
  images?: string[];
  /** The language; left out: what the request's Accept-Language says. */
  language?: Language;
  /** The one inline script, where there is one. */
  script?: string;
  headers?: Record<string, string>;
}

/** A sign-in page, as the arguments of PageService.send. */
export type SignInPage = readonly [HttpExchange, 'sign-in', Views['sign-in'], PageSettings];

/** Sends pages, behind the headers that keep them to themselves. */
@Injectable()
export class PageService {
  constructor(private readonly pages: Pages) {}

  send<N extends PageName>(
    http: HttpExchange,
    name: N,
    view: Views[N],
    {
      status = 200,
      csrf,
      formAction = [],
      images = [],
      language = languageOf(http),
      script,
      headers,
    }: PageSettings = {},
  ): void {
    const html = this.pages.render({ name, view, language, csrf });
    http.appendHeader('Vary', 'Accept-Language'); // beside what a host's CORS has set
    http.html(status, html, {
      'Content-Language': language,
      'Content-Security-Policy': [
        "default-src 'none'",
        `style-src ${this.pages.styleSources}`,
        `img-src ${["'self'", ...images].join(' ')}`,
        ...(script === undefined ? [] : [`script-src 'sha256-${sha256(script)}'`]),
        `form-action ${[...new Set(["'self'", ...formAction])].join(' ')}`,
        "frame-ancestors 'none'", // RFC 9700 §4.16
        "base-uri 'none'",
      ].join('; '),
      'X-Frame-Options': 'DENY', // the same, for browsers without CSP Level 2
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      ...NO_STORE,
      ...headers,
    });
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
