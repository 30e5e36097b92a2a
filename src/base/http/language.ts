import type { Language } from '../languages.js';
import type { HttpExchange } from './http-exchange.js';

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
  const accepted = http.header('accept-language');
  return accepted !== undefined && likesChinese(accepted) ? 'zh-CN' : 'en';
}

/** By the weights of RFC 9110 §12.4.2; of two that weigh the same the first counts. */
function likesChinese(accepted: string): boolean {
  let [best, liked] = [0, ''];
  for (const range of accepted.split(',')) {
    const [, language, q = '1'] = /^\s*([a-z]{2,3}|\*)(?:-[\w-]*)?\s*(?:;\s*q=([\d.]+)\s*)?$/i.exec(range) ?? [];
    if (language === undefined || !/^(en|zh|\*)$/i.test(language) || Number(q) <= best) continue;
    [best, liked] = [Number(q), language.toLowerCase()];
  }
  return liked === 'zh';
}
