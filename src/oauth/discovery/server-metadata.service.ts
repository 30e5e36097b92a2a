import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { marked } from '../../base/door.js';
import { AUTH_OPTIONS, type ResolvedAuthOptions } from '../../base/auth.options.js';
import {
  type MetadataPublisher,
  PUBLISHES_METADATA,
  type ServerMetadata,
} from '../../base/metadata/server-metadata.js';

/** Puts the server's description together from what each room publishes; knows of no endpoint itself. */
@Injectable()
export class ServerMetadataService implements OnModuleInit {
  private publishers: MetadataPublisher[] = [];

  constructor(
    private readonly discovery: DiscoveryService,
    @Inject(AUTH_OPTIONS) private readonly options: ResolvedAuthOptions,
  ) {}

  onModuleInit(): void {
    this.publishers = marked<MetadataPublisher>(this.discovery, PUBLISHES_METADATA);
  }

  async document(): Promise<ServerMetadata> {
    const { issuer } = this.options;
    const base = issuer.replace(/\/$/, '');
    const document: ServerMetadata = { issuer };
    for (const publisher of this.publishers) {
      const published = await publisher.metadata((path) => base + path);
      for (const [name, value] of Object.entries(published)) document[name] = joined(document[name], value);
    }
    return document;
  }
}

function joined(before: ServerMetadata[string] | undefined, value: ServerMetadata[string]): ServerMetadata[string] {
  return Array.isArray(before) && Array.isArray(value) ? [...new Set([...before, ...value])] : value;
}
