-- once
-- Records where the work of an attempt is kept. Keys: attempt:RUN:TASK:N, events. Args: run, task, attempt, fence, ref, host.
local run, task, attempt, fence, ref, host = unpack(ARGV)
local name = key('attempt', run, task, attempt)
if redis.call('EXISTS', key('run', run)) == 0 then
  refuse('RUN', run)
end
if get(name, 'fence') == fence then
  if get(name, 'salvage') == ref then
    return 0
  end
  redis.call('HSET', name, 'salvage', ref)
end
event(run, 'salvaged', { task = task, attempt = attempt, fence = fence, host = host }, object('ref', str(ref)))
return 1
