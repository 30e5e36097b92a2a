// For a process of the service (NODE_OPTIONS=--require): SIGUSR2 sets its clock back by an hour.
const now = Date.now;
let offset = 0;
Date.now = () => now() + offset;
process.on('SIGUSR2', () => {
  offset -= 3_600_000;
});
