-- once
-- A run that halted until a moment goes on, if that has come; else it is looked at then. Keys: run:RUN, run_wakes. Args: run.
local run = ARGV[1]
local name = key('run', run)
local at = number(get(name, 'goes_on_at'))
if at == 0 or get(name, 'state') ~= 'halted' or get(name, 'forgetting') ~= '' then
  return 0
end
if NOW < at then
  redis.call('ZADD', key('run_wakes'), seconds(at), run)
  return 0
end
redis.call('HSET', name, 'stop', '', 'reason', '', 'finished_at', '', 'goes_on_at', '')
move_run(run, 'running')
event(run, 'run.resumed', {}, object('by', '"the clock"'))
return 1
