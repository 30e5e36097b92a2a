import { Controller, Get, Req, Res, UseFilters, VERSION_NEUTRAL } from '@nestjs/common';
import type { Request, Response } from 'express';
import { OAuthExceptionFilter } from '../oauth-exception.filter.js';
import { sendJson } from '../../base/http/send-json.js';
import { JWKS_MAX_AGE } from '../../core/keys/key.service.js';
import { ServerMetadataService } from './server-metadata.service.js';

/** What a client needs to know of this server: RFC 8414 §3, and OpenID Connect Discovery §4, which is the same document. */
@Controller({ path: '.well-known', version: VERSION_NEUTRAL })
@UseFilters(OAuthExceptionFilter)
export class DiscoveryController {
  constructor(private readonly serverMetadata: ServerMetadataService) {}

  @Get(['openid-configuration', 'oauth-authorization-server'])
  async document(@Req() request: Request, @Res() response: Response): Promise<void> {
    const headers = { 'Cache-Control': `public, max-age=${JWKS_MAX_AGE}` };
    sendJson(request, response, 200, await this.serverMetadata.document(), headers);
  }
}
