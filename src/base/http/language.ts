import type { Language } from '../languages.js';
import type { HttpExchange } from './http-exchange.js';

const OFFERED = ['en', 'zh-CN', 'zh'];

/**
 * The language to speak: the first of ours among `ui_locales` (OpenID Connect Core §3.1.2.1), else by Accept-Language.
 * @param uiLocales space-separated, the best first
 */
export function languageOf(http: HttpExchange, uiLocales?: string): Language {
  for (const locale of uiLocales?.split(' ') ?? []) {
    if (/^zh\b/i.test(locale)) return 'zh-CN';
    if (/^en\b/i.test(locale)) return 'en';
  }
  if (http.header('accept-language') === undefined) return 'en';
  return http.preferredLanguage(OFFERED)?.startsWith('zh') ? 'zh-CN' : 'en';
}
