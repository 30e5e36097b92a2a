import { HttpStatus, type Type } from '@nestjs/common';
import type * as swaggerPackage from '@nestjs/swagger';
import type { ModulesContainer } from '@nestjs/core';
import { handlersOf } from '../http/auth-controller.js';
import { type Caller, operationOf, type OperationOptions } from './operation.js';
import { type Model, parametersSchema, propertiesOf, type Schema, text } from './schema.js';

/** @nestjs/swagger, which an application has or has not. */
type Swagger = typeof swaggerPackage;

/** Of every failure: see the table of errors. */
export const ERROR: Model = {
  name: 'AuthError',
  properties: {
    error: text('the word of OAuth'),
    error_code: { type: 'integer' },
    error_description: text(),
    code: { type: 'integer', description: 'number of google.rpc.Code' },
    message: text(),
    details: { type: 'array', items: { type: 'object', additionalProperties: true }, description: 'of google.rpc' },
  },
};

const NOTHING: Schema = { type: 'object', additionalProperties: false };

/** What every operation may be refused by, and what goes with who calls. */
const REFUSALS = [400, 429, 500, 503];
const REFUSALS_BY: Record<Caller, number[]> = {
  anybody: [],
  client: [401, 403],
  'confidential client': [401, 403],
  user: [401, 403],
  'client or user': [401, 403],
};

/** Named as Nest's DocumentBuilder names them by itself: `addBearerAuth()`, `addBasicAuth()`. */
const SECURITY: Record<Caller, Record<string, string[]>[]> = {
  anybody: [],
  client: [{ basic: [] }, {}],
  'confidential client': [{ basic: [] }, {}], // or in the body
  user: [{ bearer: [] }],
  'client or user': [{ bearer: [] }, { basic: [] }, {}],
};

/** How a client says in the body who it is (RFC 6749 §2.3.1, RFC 7523 §2.2). */
const OF_CLIENTS: Record<string, Schema> = {
  client_id: text(),
  client_secret: text(),
  client_assertion_type: text(),
  client_assertion: text(),
};

const CONSUMED = ['application/json', 'application/x-www-form-urlencoded'];

/** Bodies by the methods that have been described: in a second application of the process they may be others. */
const described = new WeakMap<object, Schema>();
const classes = new Map<string, Type>();

/** Has a host's document show what controllers of ours do, without methods that only say which others there are. */
export function describe(swagger: Swagger, controllers: Type[], modules: ModulesContainer): void {
  for (const controller of controllers) describeController(swagger, controller, modules);
}

function describeController(swagger: Swagger, controller: Type, modules: ModulesContainer): void {
  for (const [prototype, name, descriptor] of handlersOf(controller.prototype as object)) {
    const handler = descriptor.value as object;
    const options = operationOf(handler);
    const known = described.get(handler);
    const body = options && bodyOf(options, modules);
    if (known) {
      Object.assign(known, body);
      continue;
    }
    described.set(handler, body ?? {});
    const decorators = options ? decoratorsOf(swagger, options, body) : [swagger.ApiExcludeEndpoint()];
    for (const decorate of decorators) decorate(prototype, name, descriptor);
  }
  const models = [ERROR, ...modelsOf(controller)];
  swagger.ApiExtraModels(...models.map((model) => classOf(swagger, model)))(controller);
}

function decoratorsOf(swagger: Swagger, options: OperationOptions, body: Schema | undefined): MethodDecorator[] {
  const { summary, by, query, answer, status = 200, refusals = [] } = options;
  const isPage = answer === 'page';
  const answered = (schema: object) => ({ content: { [isPage ? 'text/html' : 'application/json']: { schema } } });
  const schema = isPage ? { type: 'string' } : answer === 'nothing' ? NOTHING : reference(swagger, answer);
  const failure = isPage ? { type: 'string' } : reference(swagger, ERROR);
  const asked = query && parametersSchema(query);
  return [
    swagger.ApiOperation({ summary, security: SECURITY[by], tags: ['auth'] }),
    swagger.ApiResponse({ status, description: 'success', ...answered(schema) }),
    ...(isPage
      ? [swagger.ApiResponse({ status: 303, description: 'on to the next page, or to the application' })]
      : []),
    ...[...new Set([...REFUSALS, ...REFUSALS_BY[by], ...refusals])].map((refused) =>
      swagger.ApiResponse({ status: refused, description: HttpStatus[refused] ?? '', ...answered(failure) }),
    ),
    ...(body ? [swagger.ApiConsumes(...CONSUMED), swagger.ApiBody({ schema: body as object })] : []),
    ...Object.entries(asked?.properties ?? {}).map(([name, property]) =>
      swagger.ApiQuery({ name, schema: property as object, required: asked?.required?.includes(name) ?? false }),
    ),
  ];
}

/** With what a client says of itself; undefined: the operation takes none. */
function bodyOf({ by, body, bodyOf: of }: OperationOptions, modules: ModulesContainer): Schema | undefined {
  const schema = of ? of(modules) : body && parametersSchema(body);
  if (!schema) return undefined;
  return by.includes('client') ? { ...schema, properties: { ...OF_CLIENTS, ...schema.properties } } : schema;
}

function modelsOf(controller: Type): Model[] {
  return handlersOf(controller.prototype as object).flatMap(([, , { value }]) => {
    const answer = operationOf(value as object)?.answer;
    return typeof answer === 'object' ? [answer] : [];
  });
}

function reference(swagger: Swagger, { name }: Model): object {
  return { $ref: swagger.getSchemaPath(name) };
}

/** @nestjs/swagger knows models as classes. */
function classOf(swagger: Swagger, model: Model): Type {
  const known = classes.get(model.name);
  if (known) return known;
  const Class = { [model.name]: class {} }[model.name]!;
  for (const [name, schema, required] of propertiesOf(model)) {
    swagger.ApiProperty({ ...schema, required } as object)(Class.prototype, name);
  }
  classes.set(model.name, Class);
  return Class;
}
