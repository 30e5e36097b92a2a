import type { DiscoveryService } from '@nestjs/core';

/** Every provider and controller, of this package or of the host, whose class a decorator has marked with this key. */
export function marked<T>(discovery: DiscoveryService, key: string): T[] {
  const found = [...discovery.getControllers(), ...discovery.getProviders()]
    .filter(({ instance, metatype }) => instance && metatype && Reflect.hasMetadata(key, metatype))
    .map(({ instance }) => instance as T);
  return [...new Set(found)];
}
