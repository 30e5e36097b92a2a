import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { SettingsError } from './environment.js';
import type { Settings } from './settings.js';

/** Which setting is to blame, and what is wrong with it, where nothing can listen there. */
const REFUSED: Record<string, ['HOST' | 'PORT', string]> = {
  EADDRINUSE: ['PORT', 'is in use already'],
  EACCES: ['PORT', 'is not for this user to listen at'],
  EADDRNOTAVAIL: ['HOST', 'is no address of this machine'],
  ENOTFOUND: ['HOST', 'is a name without an address'],
  EAI_AGAIN: ['HOST', 'is a name without an address'],
  EINVAL: ['HOST', 'is no address to listen at'],
};

/**
 * Listens where the settings say.
 * @returns the URL
 * @throws SettingsError
 */
export async function listen(app: INestApplication, settings: Pick<Settings, 'host' | 'port'>): Promise<string> {
  await app.init();
  const server = app.getHttpServer() as Server; // Nest's own listen() would write a line of its own
  server.listen(settings.port, settings.host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const [name, problem] = REFUSED[(error as NodeJS.ErrnoException).code ?? ''] ?? [];
    if (name === undefined) throw error;
    throw new SettingsError(name, `${settings[name === 'HOST' ? 'host' : 'port']} ${problem}`);
  }
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
