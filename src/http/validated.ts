import { getMetadataStorage, validateSync, type ValidationError } from 'class-validator';
import { AuthError, type FieldViolation } from '../errors/auth.error.js';
import type { Parameters } from './parameters.js';

/** A class of class-validator rules; its decorated properties are the parameters that are read. */
export type ParametersClass<P extends object = object> = new () => P;

const declared = new WeakMap<ParametersClass, string[]>();

/**
 * The parameters that a class declares, checked by its rules. What it does not declare is ignored.
 * @throws AuthError invalid_argument with every offending field
 */
export function validated<P extends object>(Class: ParametersClass<P>, sent: Parameters): P {
  const parameters = new Class() as Record<string, unknown>;
  for (const name of namesOf(Class)) parameters[name] = sent.get(name);
  const errors = validateSync(parameters, { stopAtFirstError: true, forbidUnknownValues: false });
  if (errors.length > 0) throw refusal(errors, parameters);
  return parameters as P;
}

function namesOf(Class: ParametersClass): string[] {
  let names = declared.get(Class);
  if (!names) {
    const rules = getMetadataStorage().getTargetValidationMetadatas(Class, '', true, false);
    declared.set(Class, (names = [...new Set(rules.map((rule) => rule.propertyName))]));
  }
  return names;
}

function refusal(errors: ValidationError[], parameters: Record<string, unknown>): AuthError {
  const fields = errors.map(({ property, constraints = {} }): FieldViolation => {
    const description = Object.values(constraints)[0] ?? 'is malformed';
    return { field: property, description: description.replace(`${property} `, '') };
  });
  const first = errors[0]!;
  const tooLong = Object.keys(first.constraints ?? {}).some((name) => name === 'maxLength' || name === 'isLength');
  if (errors.some(({ property }) => parameters[property] === undefined)) {
    return new AuthError('invalid_argument', { reason: 'PARAMETER_MISSING', fields });
  }
  return new AuthError('invalid_argument', { reason: tooLong ? 'PARAMETER_TOO_LONG' : 'PARAMETER_INVALID', fields });
}
