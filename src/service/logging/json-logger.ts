import type { LoggerService } from '@nestjs/common';
import { type Logger, pino } from 'pino';
import { LogWriter } from './log-writer.js';

/**
 * The service's log: one JSON object a line on standard output.
 * @param base what every line has
 */
export function createLog(level: string, base?: object): Logger {
  return pino({ level, base, formatters: { level: (label) => ({ level: label }) } }, new LogWriter());
}

/** Who tells at every start what the source code says too: for LOG_LEVEL=debug. */
const CHATTY = new Set(['InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestFactory', 'NestApplication']);

/** Tells of a start that failed, with its stack: for LOG_LEVEL=debug, too, since main.ts says it in one line. */
const FAILED_START = 'ExceptionHandler';

/** Nest's logger interface over the service's log. */
export class JsonLogger implements LoggerService {
  constructor(private readonly log_: Logger) {}

  log = this.at('info');
  error = this.at('error');
  warn = this.at('warn');
  debug = this.at('debug');
  verbose = this.at('trace');
  fatal = this.at('fatal');

  /** Nest calls with a message or an object, perhaps a stack, and last the context. */
  private at(level: 'info' | 'error' | 'warn' | 'debug' | 'trace' | 'fatal') {
    return (message: unknown, ...rest: unknown[]): void => {
      const context = rest.at(-1);
      const stack = rest.length > 1 ? rest[0] : undefined;
      const fields =
        message instanceof Error ? { err: message } : typeof message === 'object' ? message : { msg: message };
      const quiet = (level === 'info' && CHATTY.has(String(context))) || context === FAILED_START;
      this.log_[quiet ? 'debug' : level]({ context, stack, ...fields });
    };
  }
}
