import { CloudbaseOAuth } from '@cloudbase/oauth';
import type { Service } from '../service.js';

/** What a client that signs users in by itself needs. */
export const FIRST_PARTY_GRANTS = [
  'password',
  'refresh_token',
  'authorization_code',
  'device_code',
  'anonymous',
  'sign_up',
  'verification',
];

/** The storage of one device, as an app hands it to the SDK. */
export class DeviceStorage {
  readonly items: Map<string, string>;

  constructor(items: Iterable<[string, string]> = []) {
    this.items = new Map(items);
  }

  async getItem(key: string): Promise<string | null> {
    return this.getItemSync(key);
  }

  async setItem(key: string, value: string): Promise<void> {
    this.setItemSync(key, value);
  }

  async removeItem(key: string): Promise<void> {
    this.removeItemSync(key);
  }

  getItemSync(key: string): string | null {
    return this.items.get(key) ?? null;
  }

  setItemSync(key: string, value: string): void {
    this.items.set(key, value);
  }

  removeItemSync(key: string): void {
    this.items.delete(key);
  }

  /** What the SDK has stored about its session; undefined: it is signed out. */
  session(clientId = 'app'): { access_token: string; refresh_token: string } | undefined {
    const text = this.items.get(`credentials_${clientId}`);
    return text === undefined ? undefined : (JSON.parse(text) as { access_token: string; refresh_token: string });
  }
}

/** An app on a device of its own, with the real SDK pointed at the service. */
export function oauthApp({ url }: Pick<Service, 'url'>, storage = new DeviceStorage(), clientId = 'app') {
  const oauth = new CloudbaseOAuth({ env: clientId, clientId, apiOrigin: url, storage });
  oauth.initializeSession();
  return { auth: oauth.authApi, client: oauth.oauth2client, storage };
}

/** What a call of the SDK rejects with. */
export async function rejection(call: Promise<unknown>): Promise<Record<string, unknown>> {
  try {
    await call;
  } catch (error) {
    return error as Record<string, unknown>;
  }
  throw new Error('the call did not reject');
}

/** The codes that went out, in order, to a target: outside production they are lines of the log. */
export function codesSentTo(service: Service, to: string): string[] {
  return service.log
    .filter((line) => line['msg'] === 'verification code' && line['to'] === to)
    .map((line) => String(line['verificationCode']));
}
