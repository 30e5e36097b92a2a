import { FastifyAdapter } from '@nestjs/platform-fastify';
import { main } from './main.js';

void main(new FastifyAdapter());
