import type { Language } from '../languages.js';

/** Pages that a module brings (`@AuthFeature`). */
export interface PageSource {
  /** Where its Eta templates are. */
  folder: URL;
  /** Their names, without `.eta`. */
  templates: readonly string[];
  /** Every sentence of them by name. `{name}` within one stands for a value. */
  messages: Readonly<Record<string, Record<Language, string>>>;
}
