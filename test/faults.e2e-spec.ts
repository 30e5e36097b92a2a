import { Controller, Get, Injectable, Logger, UseFilters } from '@nestjs/common';
import request from 'supertest';
import { QueryFailedError, TypeORMError } from 'typeorm';
import { type AuditEvent, AuditSink, AuthExceptionFilter, ClientService, UserService } from '../src/index.js';
import { startHost } from './host.js';
import { expectError } from './service.js';

const failure = (message: string, values: object = {}) => Object.assign(new Error(message), values);
const failedQuery = (driverError: Error) => new QueryFailedError('SELECT 1', [], driverError);
const LOST = 'Connection lost: The server closed the connection.';

/** Each as its driver throws it; a query's comes in TypeORM's wrapping. */
const AWAY: [string, unknown][] = [
  ['pg: the server went', failedQuery(failure('Connection terminated unexpectedly'))],
  ['pg: the pool ended the connection', failedQuery(failure('Connection terminated'))],
  ['pg: a connection that broke before', failedQuery(failure(notQueryable('has encountered a connection error')))],
  ['pg: a connection that was closed before', failedQuery(failure(notQueryable('was closed')))],
  ['pg: no connection in time', failure('timeout exceeded when trying to connect')],
  ['pg: no handshake in time', failure('Connection terminated due to connection timeout')],
  ['pg: no answer in time', failedQuery(failure('Query read timeout'))],
  ['pg: the pool has ended', failure('Cannot use a pool after calling end on the pool')],
  ['pg: terminated by the administrator', failedQuery(failure('terminating connection', { code: '57P01' }))],
  ['pg: crash of another backend', failedQuery(failure('terminating connection', { code: '57P02' }))],
  ['pg: starting up', failure('the database system is starting up', { code: '57P03' })],
  ['pg: too many connections', failure('sorry, too many clients already', { code: '53300' })],
  ['pg: disk full', failedQuery(failure('could not extend file', { code: '53100' }))],
  ['pg: serialization', failedQuery(failure('could not serialize access', { code: '40001' }))],
  ['pg: lock timeout', failedQuery(failure('canceling statement due to lock timeout', { code: '55P03' }))],
  ['pg: became a standby', failedQuery(failure('cannot execute UPDATE', { code: '25006' }))],
  ['pg: its password was changed', failure('password authentication failed', { code: '28P01' })],
  ['a socket that was reset', failedQuery(failure('read ECONNRESET', { code: 'ECONNRESET' }))],
  ['a host without an address', failure('getaddrinfo EAI_AGAIN db', { code: 'EAI_AGAIN' })],
  [
    'a name of two addresses, at which nobody listens',
    Object.assign(new AggregateError([failure('connect ECONNREFUSED ::1:5432', { code: 'ECONNREFUSED' })])),
  ],
  ['TypeORM: never connected', new TypeORMError('Driver not Connected')],
  ['mysql2: the server went', failedQuery(failure(LOST, { code: 'PROTOCOL_CONNECTION_LOST', fatal: true }))],
  ['mysql2: afterwards', failedQuery(failure("Can't add new command when connection is in closed state"))],
  ['mysql2: the pool has ended', failure('Pool is closed.')],
  ['mysql2: nobody listens', failure('connect ECONNREFUSED 127.0.0.1:3306', { code: 'ECONNREFUSED' })],
  ['MySQL: lock timeout', failedQuery(failure('Lock wait timeout exceeded', { code: 'ER_LOCK_WAIT_TIMEOUT' }))],
  ['MySQL: deadlock', failedQuery(failure('Deadlock found', { code: 'ER_LOCK_DEADLOCK' }))],
  ['MySQL: too many connections', failure('Too many connections', { code: 'ER_CON_COUNT_ERROR' })],
  ['MySQL: became read-only', failedQuery(failure('--read-only', { code: 'ER_OPTION_PREVENTS_STATEMENT' }))],
  ['SQLite: locked', failedQuery(failure('SQLITE_BUSY: database is locked', { code: 'SQLITE_BUSY' }))],
  ['SQLite: in extended codes', failedQuery(failure('disk I/O error', { code: 'SQLITE_IOERR_WRITE' }))],
];

const OUR_FAULT: [string, unknown][] = [
  ['a syntax error', failedQuery(failure('syntax error at or near "FORM"', { code: '42601' }))],
  ['a missing table', failedQuery(failure('relation does not exist', { code: '42P01' }))],
  ['a missing column', failedQuery(failure('Unknown column', { code: 'ER_BAD_FIELD_ERROR' }))],
  ['a constraint', failedQuery(failure('UNIQUE constraint failed', { code: 'SQLITE_CONSTRAINT' }))],
  ['any other error', new Error('The connection of thoughts terminated unexpectedly')],
  ['no error at all', undefined],
];

function notQueryable(why: string): string {
  return `Client ${why} and is not queryable`;
}

@Controller('failing')
@UseFilters(AuthExceptionFilter)
class FailingController {
  static error: unknown;

  @Get()
  fail(): void {
    throw FailingController.error;
  }
}

describe('a fault of the database', () => {
  let host: Awaited<ReturnType<typeof startHost>>;
  beforeAll(async () => {
    host = await startHost({ controllers: [FailingController] });
  });
  afterAll(() => host.close());

  it.each(AWAY)('is answered unavailable where the database is away or too busy: %s', async (_, error) => {
    FailingController.error = error;
    expectError(await request(host.url).get('/failing'), {
      error: 'unavailable',
      reason: 'DATABASE_UNAVAILABLE',
      retryAfter: 1,
    });
  });

  it.each(OUR_FAULT)('is answered internal where we asked it something wrong: %s', async (_, error) => {
    FailingController.error = error;
    expectError(await request(host.url).get('/failing'), { error: 'internal', reason: 'INTERNAL' });
  });
});

describe('an audit sink of the host that fails', () => {
  it.each<[string, (event: AuditEvent) => void | Promise<void>]>([
    [
      'throws',
      () => {
        throw new Error('the audit trail is full');
      },
    ],
    ['rejects', () => Promise.reject(new Error('the audit trail is full'))],
    ['rejects later', () => new Promise((_, reject) => setTimeout(reject, 5, new Error('the audit trail is full')))],
    ['never settles', () => new Promise(() => undefined)],
  ])('changes no answer and does not end the process, and is spoken of once a minute: it %s', async (how, fail) => {
    let asked = 0;
    @Injectable()
    class FailingSink extends AuditSink {
      override record(event: AuditEvent): void | Promise<void> {
        asked++;
        return fail(event);
      }
    }
    const unhandled: unknown[] = [];
    const listen = (error: unknown) => unhandled.push(error);
    process.on('unhandledRejection', listen);
    const host = await startHost({}, { providers: [{ provide: AuditSink, useClass: FailingSink }] });
    const complaints = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    await host.app.get(ClientService).create({ id: 'app', public: true, grant_types: ['password'] });
    await host.app.get(UserService).create({ username: 'ada', password: 'correct horse' });
    const signIn = async () => {
      const body = { client_id: 'app', grant_type: 'password', username: 'ada', password: 'correct horse' };
      const { status } = await request(host.url).post('/auth/v1/token').send(body);
      await new Promise((resolve) => setTimeout(resolve, 20));
      return status;
    };
    expect([await signIn(), await signIn(), asked]).toEqual([200, 200, 2]);
    host.clock.advance(61);
    expect([await signIn(), asked]).toEqual([200, 3]);
    const lost = (n: number) => [{ msg: 'audit events were lost', lost: n, error: 'Error: the audit trail is full' }];
    expect(complaints.mock.calls).toEqual(how === 'never settles' ? [] : [lost(1), lost(2)]);
    expect(unhandled).toEqual([]);
    process.off('unhandledRejection', listen);
    complaints.mockRestore();
    await host.close();
  });
});
