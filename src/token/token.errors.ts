import { type ErrorTable, oauth, say } from '../base/errors/error-table.js';

/** What the token endpoint alone refuses. */
export const TOKEN_ERRORS = {
  unsupported_grant_type: {
    error: 'unsupported_grant_type',
    status: 400,
    code: 3,
    error_code: 40002,
    oauth: oauth('unsupported_grant_type', 400),
    sentence: say('This grant_type is not supported.', '不支持该 grant_type。'),
    reasons: {
      GRANT_TYPE_UNSUPPORTED: say('This grant_type is not supported.', '不支持该 grant_type。'),
    },
  },
} satisfies ErrorTable;

declare module '../base/errors/error-table.js' {
  interface ErrorTables {
    token: typeof TOKEN_ERRORS;
  }
}
