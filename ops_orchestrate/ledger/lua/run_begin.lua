-- once
-- Begins a run, unless it exists.
-- Keys: run:RUN, runs, parts expected in the run. Args: run, request, host, parts (JSON list), max_waves or '', data of the event.
local run, request, host, parts, max_waves, data = unpack(ARGV)
if redis.call('EXISTS', key('run', run)) == 1 then
  return 0
end
redis.call('HSET', key('run', run), 'request', request, 'state', 'auditing', 'created_at', STAMP, 'parts', parts,
  'max_waves', max_waves)
redis.call('ZADD', key('runs'), STAMP, run)
event(run, 'run.begun', { host = host }, data)
return 1
