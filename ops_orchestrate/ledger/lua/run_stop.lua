-- once
-- Asks a run to stop; "now" overrides "salvage", nothing overrides "now".
-- Keys: run:RUN, its candidates, snoozes, task:RUN:TASK. Args: run, how, by.
local run, how, by = unpack(ARGV)
local known = redis.call('HMGET', key('run', run), 'state', 'stop')
if not known[1] then
  refuse('RUN', run)
end
local stop = known[2] or ''
if (known[1] ~= 'auditing' and known[1] ~= 'running') or stop == how or stop == 'now' then
  return 0
end
redis.call('HSET', key('run', run), 'stop', how)
withdraw_all(run)
-- Members that have started early and wait with what they made need not wait on.
for _, name in ipairs(redis.call('ZRANGE', key('snoozes'), 0, -1)) do
  local owner, task = string.match(name, '^([^/]*)/(.*)$')
  local t = owner == run and load_task(run, task)
  if t and t.early == '1' and t.phase == 'snoozed' then
    redis.call('ZADD', key('snoozes'), 'XX', STAMP, name)
  end
end
event(run, 'run.stopping', {}, object('how', str(how), 'by', str(by)))
return 1
