import { getMetadataStorage } from 'class-validator';
import type { ParametersClass } from '../http/validated.js';

/** The part of JSON Schema that OpenAPI 3.0 and 3.1 understand alike. */
export interface Schema {
  type?: 'string' | 'integer' | 'boolean' | 'array' | 'object';
  description?: string;
  enum?: string[];
  format?: 'uri' | 'date-time' | 'email';
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  oneOf?: Schema[];
}

/** A body with a name: the properties that are known of it, those that may be left out with a `?` behind theirs. */
export interface Model {
  name: string;
  properties: Record<string, Schema>;
}

export const text = (description?: string): Schema => ({
  type: 'string',
  ...(description !== undefined && { description }),
});
export const oneOf = (...words: string[]): Schema => ({ type: 'string', enum: words });
export const seconds = (description?: string): Schema => ({
  type: 'integer',
  description: description === undefined ? 'seconds' : `${description}, in seconds`,
});
export const flag: Schema = { type: 'boolean' };
export const listOf = (items: Schema): Schema => ({ type: 'array', items });
/** Parameters that no class reads. */
export const strings = (...names: string[]): Schema => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, text()])),
});
export const anything: Schema = { type: 'object', additionalProperties: true };

/** Where a model's property has its name, and whether it must be there. */
export function propertiesOf({ properties }: Model): [name: string, schema: Schema, required: boolean][] {
  return Object.entries(properties).map(([name, schema]) => [name.replace(/\?$/, ''), schema, !name.endsWith('?')]);
}

/** What a class of rules says of its parameters. On the wire each is a string; what no class declares is ignored. */
export function parametersSchema(Class: ParametersClass | Schema): Schema {
  if (typeof Class === 'object') return Class;
  const properties: Record<string, Schema> = {};
  const required: string[] = [];
  for (const rule of getMetadataStorage().getTargetValidationMetadatas(Class, '', true, false)) {
    const { name, propertyName, constraints = [] } = rule as typeof rule & { constraints?: unknown[] };
    const schema = (properties[propertyName] ??= { type: 'string' });
    if (name === 'isDefined') required.push(propertyName);
    if (name === 'maxLength') schema.maxLength = constraints[0] as number;
    if (name === 'minLength') schema.minLength = constraints[0] as number;
  }
  return { type: 'object', properties, ...(required.length > 0 && { required }) };
}
