import { Injectable } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { featuresOf } from '../feature.js';
import type { AuthError } from './auth.error.js';
import { type ErrorRow, joinTables, type OAuthWord, type Sentence } from './error-table.js';

/** Every failure of the service, from the tables of all modules (`@AuthFeature`), a host's own among them. */
@Injectable()
export class Catalogue {
  private readonly rows: Record<string, ErrorRow>;

  constructor(modules: ModulesContainer) {
    this.rows = joinTables(featuresOf(modules).flatMap(({ errors }) => (errors ? [errors] : [])));
  }

  row(error: AuthError): ErrorRow {
    return this.rows[error.code]!;
  }

  /** `error` and status in the words of the standards. */
  oauthWord(error: AuthError): OAuthWord {
    const row = this.row(error);
    return row.reasons[error.reason]?.oauth ?? row.oauth;
  }

  sentence(error: AuthError): Sentence {
    const row = this.row(error);
    return row.reasons[error.reason] ?? row.sentence;
  }
}
