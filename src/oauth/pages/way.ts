import type { Client } from '../../core/clients/client.entity.js';
import { provesClient } from '../../core/codes/redirect-uri.js';

/** A link by which a person goes on from a page. */
export interface Way {
  href: string;
  /** The name of its message, and the values in it. */
  text: string;
  values?: Record<string, string>;
}

/** To where an app is at home, as far as its registration tells; undefined: it tells of no place that is its own. */
export function backTo(client: Client | undefined): Way[] | undefined {
  const uri = client?.redirect_uris.find(provesClient);
  if (uri === undefined) return undefined;
  return [{ href: new URL(uri).origin, text: 'way.back', values: { client: client!.name } }];
}
