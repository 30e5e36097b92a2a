import type { Request } from 'express';

export const LANGUAGES = ['en', 'zh-CN'] as const;
export type Language = (typeof LANGUAGES)[number];

/**
 * The language to speak: the first of ours among `ui_locales` (OpenID Connect Core §3.1.2.1), else by Accept-Language.
 * @param uiLocales space-separated, the best first
 */
export function languageOf(request: Request, uiLocales?: string): Language {
  for (const locale of uiLocales?.split(' ') ?? []) {
    if (/^zh\b/i.test(locale)) return 'zh-CN';
    if (/^en\b/i.test(locale)) return 'en';
  }
  if (request.headers['accept-language'] === undefined) return 'en';
  return String(request.acceptsLanguages('en', 'zh-CN', 'zh')).startsWith('zh') ? 'zh-CN' : 'en';
}
