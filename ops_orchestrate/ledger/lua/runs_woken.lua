-- once
-- Runs that are to be looked at now; each is told to one caller. Keys: run_wakes. Answers run ids.
local found = redis.call('ZRANGEBYSCORE', key('run_wakes'), '-inf', STAMP, 'LIMIT', 0, 100)
for _, run in ipairs(found) do
  redis.call('ZREM', key('run_wakes'), run)
end
return found
