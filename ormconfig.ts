import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { ormOptions } from './src/service/orm-options.js';

/** The service's data source for TypeORM's own command line, which wants exactly one here. */
export default new DataSource(ormOptions(process.env['DATABASE_URL']));
