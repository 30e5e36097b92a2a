import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { DEFAULT_DATABASE_URL } from './src/service/database-url.js';
import { ormOptions } from './src/service/orm-options.js';

/** The service's data source for TypeORM's own command line, which wants exactly one here, and waits for it. */
export default ormOptions(process.env['DATABASE_URL'] || DEFAULT_DATABASE_URL).then(
  (options) => new DataSource(options),
);
