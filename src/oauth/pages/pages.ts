import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Inject, Injectable } from '@nestjs/common';
import { Eta } from 'eta';
import { AUTH_OPTIONS, OptionError, type ResolvedAuthOptions } from '../../base/auth.options.js';
import type { Language } from '../../base/http/language.js';
import { type Message, say, sayScope } from './messages.js';
import type { PageName, Views } from './views.js';

const FOLDER = fileURLToPath(new URL('./templates/', import.meta.url));
const TEMPLATES = [
  'layout',
  'scopes',
  'sign-in',
  'consent',
  'device',
  'device-confirm',
  'device-done',
  'sign-out',
  'signed-out',
  'form-post',
  'error',
] satisfies (PageName | 'layout' | 'scopes')[];

export interface Page<N extends PageName = PageName> {
  name: N;
  view: Views[N];
  language: Language;
  /** Every form must send it, as `csrf`; a page without a form to us has none. */
  csrf?: string;
}

/**
 * Draws the pages, from Eta templates that are read once. A host replaces single templates by files of the same name
 * in its own folder (the option `templates`), or the whole class by this class token.
 */
@Injectable()
export class Pages {
  private readonly eta = new Eta({ autoEscape: true });
  private readonly style: string;
  /** The sources of `style-src` (CSP Level 3 §6.1.14). */
  readonly styleSources: string;

  constructor(@Inject(AUTH_OPTIONS) private readonly options: Pick<ResolvedAuthOptions, 'templates' | 'domain'>) {
    for (const name of TEMPLATES) this.eta.loadTemplate(`@${name}`, this.read(`${name}.eta`));
    this.style = this.read('style.css');
    this.styleSources = `'self' 'sha256-${createHash('sha256').update(this.style).digest('base64')}'`;
  }

  /** @returns a whole HTML document */
  render<N extends PageName>({ name, view, language, csrf }: Page<N>): string {
    return this.eta.render(`@${name}`, {
      ...view,
      csrf,
      language,
      domain: this.options.domain,
      style: this.style,
      t: (message: Message, values?: Record<string, string>) => say(language, message, values),
      scopeText: (scope: string) => sayScope(language, scope),
    });
  }

  private read(file: string): string {
    const { templates } = this.options;
    if (templates !== undefined && !existsSync(templates)) throw new OptionError('templates', 'is no folder');
    const own = templates === undefined ? undefined : join(templates, file);
    return readFileSync(own !== undefined && existsSync(own) ? own : join(FOLDER, file), 'utf8');
  }
}
