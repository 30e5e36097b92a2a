import type { Type } from '@nestjs/common';

/** What ValidationPipe needs of class-transformer, for a host that has flat bodies only. */
export const plainTransformer = {
  plainToInstance: <T>(type: Type<T>, plain: unknown): T => Object.assign(new type() as object, plain) as T,
  classToPlain: (value: unknown): Record<string, unknown> => ({ ...(value as object) }),
};
