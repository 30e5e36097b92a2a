import { SetMetadata } from '@nestjs/common';

/** Members of the document that describes this server (RFC 8414 §2, OpenID Connect Discovery §3). */
export type ServerMetadata = Record<string, string | boolean | string[]>;

/** Something that has its part in that document. Mark its class with `@PublishesMetadata()`. */
export interface MetadataPublisher {
  /**
   * Asked for each document, so it may say what is so at the moment. Lists are joined with those of other publishers;
   * of two single values the later registered one counts.
   * @param url the URL of one of our paths, which begins with `/`
   */
  metadata(url: (path: string) => string): ServerMetadata | Promise<ServerMetadata>;
}

export const PUBLISHES_METADATA = 'nest-auth:publishes-metadata';

/** Makes a provider or controller of any module a MetadataPublisher. */
export const PublishesMetadata: () => (target: new (...args: never[]) => MetadataPublisher) => void = () =>
  SetMetadata(PUBLISHES_METADATA, true);
