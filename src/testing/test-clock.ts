import { Injectable } from '@nestjs/common';
import { Clock } from '../base/clock.js';

/** A clock that runs, and can be put forward: what expires need not be waited for. */
@Injectable()
export class TestClock extends Clock {
  private ahead = 0;

  override now(): number {
    return super.now() + this.ahead;
  }

  override monotonic(): number {
    return super.monotonic() + this.ahead;
  }

  /** Lets time pass at once. */
  advance(seconds: number): void {
    this.ahead += seconds * 1000;
  }
}
