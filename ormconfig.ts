import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from './src/base/database/own/data-source-options.js';
import { DEFAULT_DATABASE_URL } from './src/base/database/own/database-url.js';
import { authSchema } from './src/wings.js';

/** The service's data source for TypeORM's own command line, which wants exactly one here, and waits for it. */
export default dataSourceOptions(process.env['DATABASE_URL'] || DEFAULT_DATABASE_URL, authSchema()).then(
  (options) => new DataSource(options),
);
