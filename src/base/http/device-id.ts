import { badField } from '../errors/auth.error.js';
import type { HttpExchange } from './http-exchange.js';

export const DEVICE_ID = /^[\x20-\x7e]{1,128}$/;

/**
 * `x-device-id`: the device that the request's session belongs to.
 * @throws AuthError invalid_argument unless it is 1 to 128 printable ASCII characters
 */
export function deviceIdOf(http: HttpExchange): string | undefined {
  const sent = http.header('x-device-id');
  if (sent === undefined || sent === '') return undefined;
  if (!DEVICE_ID.test(sent)) {
    throw badField('x-device-id', 'PARAMETER_INVALID', 'must be 1 to 128 printable characters');
  }
  return sent;
}
