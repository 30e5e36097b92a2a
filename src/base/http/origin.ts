import { DEVICE_ID } from './device-id.js';
import type { HttpExchange } from './http-exchange.js';

/** Where a request comes from. */
export interface Origin {
  ip?: string;
  deviceId?: string;
}

/** For what is noted of a request; a device id that is none is left out. */
export function originOf(http: HttpExchange): Origin {
  const sent = http.header('x-device-id') ?? '';
  return { ip: http.ip, deviceId: DEVICE_ID.test(sent) ? sent : undefined };
}
