// For a process of the service (NODE_OPTIONS=--require): its clock is off by so many milliseconds.
const now = Date.now;
const offset = Number(process.env.CHAOS_CLOCK_OFFSET);
Date.now = () => now() + offset;
