-- once
-- Writes down why tasks of a run that may start do not, where that is news. Keys: run:RUN, events:RUN.
-- Args: run, reason, data of the event.
local run, reason, data = unpack(ARGV)
local name = key('run', run)
if get(name, 'state') ~= 'running' or get(name, 'waiting') == reason then
  return 0
end
redis.call('HSET', name, 'waiting', reason)
event(run, 'run.waiting', {}, data)
return 1
