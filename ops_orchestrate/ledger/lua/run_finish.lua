-- once
-- Ends an open run, only while nothing of it is in flight. A run is not done while a task of it waits for a slot.
-- Keys: run:RUN, counts:RUN, offered:RUN. Args: run, state, reason, expected state ('' any open one).
local run, state, reason, expected = unpack(ARGV)
local name = key('run', run)
local from = get(name, 'state')
if from == '' then
  refuse('RUN', run)
end
if (from ~= 'auditing' and from ~= 'running') or (expected ~= '' and from ~= expected) then
  return 0
end
for _, count in ipairs(redis.call('HMGET', key('counts', run), 'running', 'verifying', 'shipping')) do
  if number(count or '0') > 0 then
    return 0
  end
end
if (state == 'done' or state == 'halted') and redis.call('SCARD', key('offered', run)) > 0 then
  return 0
end
move_run(run, state)
redis.call('HSET', name, 'reason', reason, 'finished_at', STAMP)
event(run, 'run.finished', {}, object('state', str(state), 'reason', str(reason), 'counts', counts_json(run)))
return 1
