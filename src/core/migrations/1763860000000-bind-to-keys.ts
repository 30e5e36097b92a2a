import type { MigrationInterface, QueryRunner } from 'typeorm';
import { column, nullable, Tables } from '../../base/database/tables.js';

const { id, text, words, moment } = column;
const jkt = nullable(text('dpop_jkt', 43));

/** Clients that authenticate by a key of theirs (RFC 7523), tokens bound to one (RFC 9449), and proofs used once. */
export class BindToKeys1763860000000 implements MigrationInterface {
  name = 'BindToKeys1763860000000';

  async up(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    await tables.add(
      'auth_client',
      { ...text('token_endpoint_auth_method', 32), default: "'client_secret'" },
      nullable(words('jwks')),
      nullable(text('jwks_uri', 2048)),
    );
    await tables.run("UPDATE auth_client SET token_endpoint_auth_method = 'none' WHERE public = TRUE");
    await tables.add('auth_session', jkt);
    await tables.add('auth_authorization_code', jkt);
    await tables.create('auth_used_jti', [id('hash', 43), moment('expires_at')], {
      ix_auth_used_jti_expires: 'expires_at',
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    await tables.drop('auth_used_jti');
    await tables.remove('auth_authorization_code', 'dpop_jkt');
    await tables.remove('auth_session', 'dpop_jkt');
    await tables.remove('auth_client', 'token_endpoint_auth_method', 'jwks', 'jwks_uri');
  }
}
