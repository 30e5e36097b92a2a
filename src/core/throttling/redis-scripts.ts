/**
 * What Redis does with a budget, each in one step: KEYS[1] is the moment at which the whole budget is there again, by
 * Redis's own clock, in milliseconds; a whole budget has no key. ARGV is the milliseconds in which it comes back, and its
 * requests. A sum's rounding is no millisecond, and less than a request.
 */
const BEGIN = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ttl = tonumber(ARGV[1])
local each = ttl / tonumber(ARGV[2])
local kept = tonumber(redis.call('GET', KEYS[1]) or now)
local before = math.min(math.max(now, kept), now + ttl)
local function keep(moment)
  redis.call('SET', KEYS[1], string.format('%.17g', moment), 'PX', math.max(1, math.ceil(moment - now)))
end
`;

/** Takes a request, if there is one. @returns what MemoryThrottlerStorage.increment() does; blocked is 1 or 0 */
export const TAKE = `${BEGIN}
local wait = before + each - ttl - now
local blocked = wait > each / 1000
local after = before
if not blocked then
  after = before + each
  keep(after)
end
return {
  math.ceil((after - now) / each - 1e-3),
  math.ceil((after - now) / 1000 - 1e-6),
  blocked and 1 or 0,
  blocked and math.ceil(wait / 1000 - 1e-6) or 0,
}
`;

/** Gives a request back. */
export const RESTORE = `${BEGIN}
local after = before - each
if after > now then keep(after) else redis.call('DEL', KEYS[1]) end
`;
