import { Injectable } from '@nestjs/common';

/** The one source of time; tests and hosts may replace it. */
@Injectable()
export class Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number {
    return Date.now();
  }
}

/** A moment in milliseconds as a JWT NumericDate: whole seconds (RFC 7519 §2). */
export function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
