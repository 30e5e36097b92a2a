import { Controller, Get, Req, Res, UseFilters, VERSION_NEUTRAL } from '@nestjs/common';
import type { Request, Response } from 'express';
import { AuthExceptionFilter } from '../errors/auth-exception.filter.js';
import { sendJson } from '../http/send-json.js';
import { JWKS_MAX_AGE, KeyService } from './key.service.js';

/** `GET /auth/v1/certs`: the keys that our tokens verify with (RFC 7517). */
@Controller({ path: 'auth/v1', version: VERSION_NEUTRAL })
@UseFilters(AuthExceptionFilter)
export class JwksController {
  constructor(private readonly keys: KeyService) {}

  @Get('certs')
  async certs(@Req() request: Request, @Res() response: Response): Promise<void> {
    const headers = { 'Cache-Control': `public, max-age=${JWKS_MAX_AGE}` };
    sendJson(request, response, 200, await this.keys.jwks(), headers);
  }
}
