import { Scope } from '@nestjs/common';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';

/** The name of what makes a provider request-scoped: itself, or the first that it stands on. */
export function requestScopedIn(wrapper: InstanceWrapper<object>, seen = new Set<object>()): string {
  const name = wrapper.metatype?.name ?? String(wrapper.name);
  if (wrapper.scope === Scope.REQUEST) return name;
  seen.add(wrapper);
  const below: InstanceWrapper<object>[] = wrapper.getCtorMetadata() ?? [];
  const next = below.find((one) => !seen.has(one) && !one.isDependencyTreeStatic());
  return next ? requestScopedIn(next, seen) : name;
}
