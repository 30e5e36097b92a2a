import { Injectable } from '@nestjs/common';

/** The one source of time; tests and hosts may replace it. */
@Injectable()
export class Clock {
  /** Milliseconds since the Unix epoch: a moment, for what is stored or told. It steps when somebody sets the clock. */
  now(): number {
    return Date.now();
  }

  /** Milliseconds since some moment of this process: what durations in memory are measured by. It never steps. */
  monotonic(): number {
    return performance.now();
  }
}

/** A moment in milliseconds as a JWT NumericDate: whole seconds (RFC 7519 §2). */
export function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
