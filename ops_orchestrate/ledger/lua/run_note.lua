-- once
-- Appends any event. Keys: run:RUN, events:RUN. Args: run, kind, task, attempt, fence, host, data.
local run, kind, task, attempt, fence, host, data = unpack(ARGV)
if redis.call('EXISTS', key('run', run)) == 0 then
  refuse('RUN', run)
end
event(run, kind, { task = task, attempt = attempt, fence = fence, host = host }, data)
return 1
