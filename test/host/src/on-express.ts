import { ExpressAdapter } from '@nestjs/platform-express';
import { main } from './main.js';

void main(new ExpressAdapter());
