import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { Eta } from 'eta';
import { AUTH_OPTIONS, OptionError, type ResolvedAuthOptions } from '../../base/auth.options.js';
import { featuresOf } from '../../base/feature.js';
import type { Language } from '../../base/languages.js';
import type { PageSource } from '../../base/pages/page-source.js';
import { style } from './templates/style.js';
import type { PageName, Views } from './views.js';

export interface Page<N extends PageName = PageName> {
  name: N;
  view: Views[N];
  language: Language;
  /** Every form must send it, as `csrf`; a page without a form to us has none. */
  csrf?: string;
}

/**
 * Draws the pages of every module that brings some (`@AuthFeature`), from Eta templates. A host
 * replaces single templates by files of the same name in its own folder (the option `templates`), or the whole class by
 * this class token.
 */
@Injectable()
export class Pages {
  private readonly eta = new Eta({ autoEscape: true });
  private readonly messages: PageSource['messages'];
  private readonly style: string;
  /** The sources of `style-src` (CSP Level 3 §6.1.14). */
  readonly styleSources: string;

  constructor(
    @Inject(AUTH_OPTIONS) private readonly options: Pick<ResolvedAuthOptions, 'templates' | 'domain'>,
    modules: ModulesContainer,
  ) {
    const sources = featuresOf(modules).flatMap(({ pages }) => pages ?? []);
    for (const [name, template] of sources.flatMap(({ templates }) => Object.entries(templates))) {
      this.eta.loadTemplate(`@${name}`, this.own(`${name}.eta`) ?? template.trim());
    }
    this.messages = Object.assign({}, ...sources.map(({ messages }) => messages)) as PageSource['messages'];
    this.style = this.own('style.css') ?? style.trim();
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
      t: (message: string, values?: Record<string, string>) => this.say(language, message, values),
      scopeText: (scope: string) => this.sayScope(language, scope),
    });
  }

  /** A sentence in a language, with its values put in. They are text: the template escapes what comes out of here. */
  private say(language: Language, message: string, values: Record<string, string> = {}): string {
    const sentence = this.messages[message]?.[language];
    if (sentence === undefined) throw new Error(`the pages have no sentence ${message}`);
    return sentence.replace(/\{([a-z]+)\}/g, (_, name: string) => values[name] ?? '');
  }

  /** What a scope lets a client do, in words. */
  private sayScope(language: Language, scope: string): string {
    const message = `scope.${scope}`;
    return Object.hasOwn(this.messages, message)
      ? this.say(language, message)
      : this.say(language, 'scope.other', { scope });
  }

  /** The host's file of that name; undefined: it has none. */
  private own(file: string): string | undefined {
    const { templates } = this.options;
    if (templates === undefined) return undefined;
    if (!existsSync(templates)) throw new OptionError('templates', 'is no folder');
    const own = join(templates, file);
    return existsSync(own) ? readFileSync(own, 'utf8') : undefined;
  }
}
