/** What the host reads from its environment. */
export const settings = {
  database: process.env['HOST_DATABASE']!,
  /** Whether it runs on Fastify rather than Express. */
  fastify: process.env['HOST_FASTIFY'] === '1',
  /** Name of the TypeORM data source; undefined: the default one. */
  dataSource: process.env['HOST_DATA_SOURCE'],
  /** TypeORM's entityPrefix. */
  tablePrefix: process.env['HOST_TABLE_PREFIX'] ?? '',
  enableWAL: process.env['HOST_WAL'] === '1',
  withoutAuth: process.env['HOST_WITHOUT_AUTH'] === '1',
  asyncOptions: process.env['HOST_ASYNC_OPTIONS'] === '1',
  withTombola: process.env['HOST_WITH_TOMBOLA'] === '1',
};
