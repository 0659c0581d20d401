-- once
-- Ends an open run, only while nothing of it is in flight. A run is not done while a task of it waits for a slot.
-- One that waits for its owner's money (held: 1) may halt with such tasks; until when, if that comes by itself.
-- Keys: run:RUN, counts:RUN, offered:RUN, run_wakes.
-- Args: run, state, reason, expected state ('' any open one), held (1/0), goes on at (0: not by itself).
local run, state, reason, expected, held, goes_on_at = unpack(ARGV)
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
if (state == 'done' or (state == 'halted' and held ~= '1')) and redis.call('SCARD', key('offered', run)) > 0 then
  return 0
end
move_run(run, state)
redis.call('HSET', name, 'reason', reason, 'finished_at', STAMP, 'goes_on_at', '')
if number(goes_on_at) > 0 then
  redis.call('HSET', name, 'goes_on_at', seconds(number(goes_on_at)))
  redis.call('ZADD', key('run_wakes'), seconds(number(goes_on_at)), run)
end
event(run, 'run.finished', {}, object('state', str(state), 'reason', str(reason), 'counts', counts_json(run)))
return 1
