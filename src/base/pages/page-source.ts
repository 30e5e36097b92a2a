import type { Language } from '../languages.js';

/** Pages that a module brings (`@AuthFeature`). */
export interface PageSource {
  /** Its Eta templates by name. Text, not files: there are none in a bundle. */
  templates: Readonly<Record<string, string>>;
  /** Every sentence of them by name. `{name}` within one stands for a value. */
  messages: Readonly<Record<string, Record<Language, string>>>;
}
