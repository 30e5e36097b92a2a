import { getMetadataStorage, validateSync, type ValidationError } from 'class-validator';
import { AuthError, type FieldViolation } from '../errors/auth.error.js';
import type { Parameters } from './parameters.js';
import { type FormatRefusal, malformed } from './rules.js';

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
  const errors = validateSync(parameters, { forbidUnknownValues: false });
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

type BadReason = 'PARAMETER_MISSING' | 'PARAMETER_TOO_LONG' | 'PARAMETER_INVALID';

interface Judged {
  reason: BadReason;
  field: FieldViolation;
  /** The row that its format names. */
  format?: FormatRefusal;
}

/** Says of each offending parameter the first thing that is wrong with it: missing, else too long, else malformed. */
function refusal(errors: ValidationError[], parameters: Record<string, unknown>): AuthError {
  const judged = errors.map(({ property, constraints = {}, contexts = {} }): Judged => {
    const tooLong = constraints['maxLength'] ?? constraints['isLength'];
    const missing = parameters[property] === undefined;
    const said = (missing ? constraints['isDefined'] : tooLong) ?? Object.values(constraints)[0] ?? 'is malformed';
    const reason = missing ? 'PARAMETER_MISSING' : tooLong ? 'PARAMETER_TOO_LONG' : 'PARAMETER_INVALID';
    const format = reason === 'PARAMETER_INVALID' ? (contexts['matches'] as FormatRefusal | undefined) : undefined;
    return { reason, format, field: { field: property, description: said.replace(`${property} `, '') } };
  });
  const [{ format, field: said }] = judged as [Judged];
  if (format && judged.length === 1) return malformed(said.field, { ...said, refusal: format });
  const order: BadReason[] = ['PARAMETER_MISSING', 'PARAMETER_TOO_LONG', 'PARAMETER_INVALID'];
  const reason = order.find((one) => judged.some((each) => each.reason === one))!;
  return new AuthError('invalid_argument', { reason, fields: judged.map(({ field }) => field) });
}
