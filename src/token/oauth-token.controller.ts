import { Controller, UseFilters, VERSION_NEUTRAL } from '@nestjs/common';
import { OAuthExceptionFilter } from '../errors/auth-exception.filter.js';
import { TokenController } from './token.controller.js';

/** `POST /oauth2/token`: the same endpoint, its errors in the words of the standards. */
@Controller({ path: 'oauth2/token', version: VERSION_NEUTRAL })
@UseFilters(OAuthExceptionFilter)
export class OAuthTokenController extends TokenController {}
