// What argon2id alone allows: verifies a password over and over, `parallel` at a time, and prints how many
// a second, and how many microseconds of CPU each took.
// Started by run.mjs: node bench/argon2.mjs <parallel> <seconds> <hash in PHC format> <password>
import { verify } from '@node-rs/argon2';

const [parallel, duration, hash, password] = process.argv.slice(2);
await verify(hash, password); // warms up
const began = performance.now();
const cpu = process.cpuUsage();
const until = began + Number(duration) * 1000;
let verified = 0;
await Promise.all(
  Array.from({ length: Number(parallel) }, async () => {
    while (performance.now() < until) {
      if (!(await verify(hash, password))) throw new Error('the password does not match');
      verified++;
    }
  }),
);
const seconds = (performance.now() - began) / 1000;
const { user, system } = process.cpuUsage(cpu);
console.log(JSON.stringify({ rps: verified / seconds, cpu: (user + system) / verified }));
