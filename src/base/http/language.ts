import type { Language } from '../languages.js';
import type { HttpExchange } from './http-exchange.js';

const OFFERED = ['en', 'zh-CN', 'zh'];

/** The first language of ours among language tags. @param locales space-separated, the best first */
export function languageNamed(locales = ''): Language | undefined {
  for (const locale of locales.split(' ')) {
    if (/^zh\b/i.test(locale)) return 'zh-CN';
    if (/^en\b/i.test(locale)) return 'en';
  }
  return undefined;
}

/**
 * The language to speak: the first of ours among `ui_locales` (OpenID Connect Core §3.1.2.1), else by Accept-Language.
 * @param uiLocales space-separated, the best first
 */
export function languageOf(http: HttpExchange, uiLocales?: string): Language {
  const asked = languageNamed(uiLocales);
  if (asked) return asked;
  if (http.header('accept-language') === undefined) return 'en';
  return http.preferredLanguage(OFFERED)?.startsWith('zh') ? 'zh-CN' : 'en';
}
