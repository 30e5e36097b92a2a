import { badField } from '../errors/auth.error.js';

/**
 * The body's parameters: each a well-formed string, sent once (RFC 6749 §3.2). They are checked when they are asked
 * for, so that what nobody asks for is ignored. An empty one counts as absent (RFC 6749 §3.1).
 */
export class Parameters {
  constructor(
    private readonly values: Record<string, unknown>,
    private readonly repeated: ReadonlySet<string> = NONE,
  ) {}

  /** @throws AuthError invalid_argument if it was repeated or is no string */
  get(name: string): string | undefined {
    if (this.repeated.has(name)) throw badField(name, 'PARAMETER_REPEATED', 'must be sent once');
    const value = Object.hasOwn(this.values, name) ? this.values[name] : undefined;
    if (value === undefined || value === '') return undefined;
    if (typeof value !== 'string') throw badField(name, 'PARAMETER_INVALID', 'must be a string');
    if (!value.isWellFormed()) throw badField(name, 'PARAMETER_INVALID', 'must be well-formed Unicode');
    return value;
  }

  /** The same without one of them. */
  without(name: string): Parameters {
    return new Parameters(
      { ...this.values, [name]: undefined },
      new Set([...this.repeated].filter((one) => one !== name)),
    );
  }

  /** The value if get() would return it, else undefined: for those who look before the request is judged. */
  peek(name: string): string | undefined {
    const value = Object.hasOwn(this.values, name) ? this.values[name] : undefined;
    return typeof value === 'string' && value !== '' && !this.repeated.has(name) && value.isWellFormed()
      ? value
      : undefined;
  }
}

const NONE: ReadonlySet<string> = new Set();
