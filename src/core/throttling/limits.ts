import { Inject, Injectable } from '@nestjs/common';
import {
  getOptionsToken,
  getStorageToken,
  type ThrottlerModuleOptions,
  type ThrottlerStorage,
} from '@nestjs/throttler';

/**
 * The budgets and where they are kept, for the guards of every wing. @nestjs/throttler's own tokens stay inside the
 * module that provides them: exported, they would be found by a host's ThrottlerGuard in place of the host's limits.
 */
@Injectable()
export class Limits {
  constructor(
    @Inject(getOptionsToken()) readonly options: ThrottlerModuleOptions,
    @Inject(getStorageToken()) readonly storage: ThrottlerStorage,
  ) {}
}
