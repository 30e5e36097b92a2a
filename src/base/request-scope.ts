import { Scope } from '@nestjs/common';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';

/** The name of what makes a provider request-scoped: itself, or the first that it stands on. */
export function requestScopedIn(wrapper: InstanceWrapper, seen = new Set<InstanceWrapper>()): string {
  const name = (wrapper.metatype as { name?: string } | null)?.name ?? String(wrapper.name);
  if (wrapper.scope === Scope.REQUEST) return name;
  seen.add(wrapper);
  const next = wrapper.getCtorMetadata()?.find((one) => !seen.has(one) && !one.isDependencyTreeStatic());
  return next ? requestScopedIn(next, seen) : name;
}
