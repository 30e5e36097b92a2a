import { SetMetadata } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import type { ParametersClass } from '../http/validated.js';
import type { Model, Schema } from './schema.js';

export const OPERATION = 'nest-auth:operation';

/** Who may call an operation: anybody; a client, by its id or what proves it; a user, by an access token. */
export type Caller = 'anybody' | 'client' | 'confidential client' | 'user' | 'client or user';

/** What an operation of ours takes and answers, for whoever describes the API (OpenAPI). */
export interface OperationOptions {
  summary: string;
  by: Caller;
  /** Parameters of its body. */
  body?: ParametersClass | Schema;
  /** The same where other modules have a say. */
  bodyOf?: (modules: ModulesContainer) => Schema;
  query?: ParametersClass | Schema;
  /** What success is answered by: a model, no more than `{}`, or a page. */
  answer: Model | 'nothing' | 'page';
  /** Status of that. Default: 200. */
  status?: number;
  /** Statuses of refusals beside those that every operation has, and those that go with who calls. */
  refusals?: number[];
}

/** Describes the operation that a method of a controller is. What has no description is not in a document. */
export const Operation = (options: OperationOptions): MethodDecorator => SetMetadata(OPERATION, options);

export function operationOf(handler: object): OperationOptions | undefined {
  return Reflect.getMetadata(OPERATION, handler) as OperationOptions | undefined;
}
