import { applyDecorators } from '@nestjs/common';
import { IsDefined, IsOptional, Matches, MaxLength, MinLength } from 'class-validator';
import { AuthError, badField } from '../errors/auth.error.js';
import type { ErrorCode } from '../errors/error-table.js';

/** What a parameter must look like, and the words for one that does not. */
export interface Format {
  pattern: RegExp;
  description: string;
  /** By which row it is refused. Default: invalid_argument, PARAMETER_INVALID. */
  refusal?: FormatRefusal;
}

export interface FormatRefusal {
  code: ErrorCode;
  reason: string;
}

/** RFC 6749 appendix A.15, A.16: Unicode without control characters. */
export const PRINTABLE: Format = { pattern: /^\P{Cc}*$/u, description: 'must not contain control characters' };

/** A hash as the wire has it: PKCE's S256 (RFC 7636 §4.2), a JWK thumbprint (RFC 7638 §3). */
export const SHA_256: Format = { pattern: /^[A-Za-z0-9_-]{43}$/, description: 'must be the base64url of a SHA-256' };

/** What a class may still say of a parameter whose length and meaning have a decorator of their own. */
export interface Presence {
  /** Default: it may be left out. */
  required?: boolean;
  format?: Format;
}

export interface TextRules extends Presence {
  /** Lengths in UTF-16 code units. */
  min?: number;
  max?: number;
}

/** A parameter of a grant or an endpoint: whether it must be there, how long it may be, and what it must look like. */
export function Text({ required = false, min, max, format }: TextRules): PropertyDecorator {
  // from the bottom up, as if they stood above the property: class-validator lists what is wrong in this order
  return applyDecorators(
    ...(format ? [Matches(format.pattern, { message: format.description, context: format.refusal })] : []),
    ...(max === undefined ? [] : [MaxLength(max, { message: atMost(max) })]),
    ...(min === undefined ? [] : [MinLength(min, { message: `must be at least ${min} characters` })]),
    required ? IsDefined({ message: REQUIRED }) : IsOptional(),
  );
}

const REQUIRED = 'is required';
const atMost = (max: number) => `must be at most ${max} characters`;

/** The same refusals for what no class can say. */
export function missing(field: string): AuthError<'invalid_argument'> {
  return badField(field, 'PARAMETER_MISSING', REQUIRED);
}

export function tooLong(field: string, max: number): AuthError<'invalid_argument'> {
  return badField(field, 'PARAMETER_TOO_LONG', atMost(max));
}

export function malformed(field: string, { description, refusal }: Omit<Format, 'pattern'>): AuthError {
  if (!refusal) return badField(field, 'PARAMETER_INVALID', description);
  return new AuthError(refusal.code, { reason: refusal.reason, fields: [{ field, description }] });
}
