import type { MigrationInterface, QueryRunner } from 'typeorm';
import { column, nullable, Tables } from '../../base/database/tables.js';

const { id, text, words, moment, integer, flag } = column;

export class CreateAuthTables1763850000000 implements MigrationInterface {
  name = 'CreateAuthTables1763850000000';

  async up(runner: QueryRunner): Promise<void> {
    const tables = new Tables(runner);
    await tables.create('auth_client', [
      id('id', 128),
      text('name', 200),
      flag('public'),
      flag('disabled', false),
      words('grant_types'),
      words('scopes'),
      words('default_scope'),
      words('redirect_uris'),
      nullable(integer('access_token_ttl')),
      nullable(integer('refresh_token_ttl')),
      flag('need_weda_resource', false),
      moment('created_at'),
    ]);
    await tables.create(
      'auth_client_secret',
      [id('id', 36), text('client_id', 128), text('hash', 43), moment('created_at'), nullable(moment('expires_at'))],
      { ix_auth_client_secret_client: 'client_id' },
    );
    await tables.create(
      'auth_user',
      [
        id('id', 36),
        text('username', 128),
        nullable(text('password_hash', 255)),
        nullable(text('email', 320)),
        nullable(text('name', 200)),
        words('groups'),
        flag('disabled', false),
        { ...moment('valid_after'), default: '0' },
        moment('created_at'),
        moment('updated_at'),
      ],
      { uq_auth_user_username: 'username' },
    );
    await tables.create(
      'auth_session',
      [
        id('id', 22),
        text('sub', 255),
        text('client_id', 128),
        words('scope'),
        { ...integer('generation'), default: '0' },
        moment('authenticated_at'),
        moment('created_at'),
        moment('expires_at'),
        nullable(moment('rotated_at')),
        nullable(text('rotated_by_device', 128)),
        nullable(text('device_id', 128)),
        nullable(moment('revoked_at')),
      ],
      {
        ix_auth_session_sub: 'sub',
        ix_auth_session_client: 'client_id',
        ix_auth_session_expires: 'expires_at',
      },
    );
    await tables.create(
      'auth_authorization_code',
      [
        id('hash', 43),
        text('client_id', 128),
        text('sub', 255),
        words('scope'),
        text('redirect_uri', 2048),
        nullable(text('code_challenge', 43)),
        nullable(text('nonce', 512)),
        moment('authenticated_at'),
        moment('expires_at'),
        nullable(text('session_id', 22)),
      ],
      { ix_auth_authorization_code_expires: 'expires_at' },
    );
    await tables.create(
      'auth_device_authorization',
      [
        id('hash', 43),
        text('user_code_hash', 43),
        text('client_id', 128),
        words('scope'),
        { ...text('status', 8), default: "'pending'" },
        nullable(text('sub', 255)),
        nullable(moment('authenticated_at')),
        integer('interval'),
        nullable(moment('polled_at')),
        moment('expires_at'),
      ],
      {
        uq_auth_device_authorization_user_code: 'user_code_hash',
        ix_auth_device_authorization_expires: 'expires_at',
      },
    );
    await tables.create('auth_signing_key', [
      id('kid', 22),
      text('alg', 5),
      words('sealed_private_key'),
      moment('created_at'),
      moment('signs_from'),
    ]);
  }

  async down(runner: QueryRunner): Promise<void> {
    await new Tables(runner).drop(
      'auth_signing_key',
      'auth_device_authorization',
      'auth_authorization_code',
      'auth_session',
      'auth_user',
      'auth_client_secret',
      'auth_client',
    );
  }
}
