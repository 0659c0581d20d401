-- once
-- Ends the snoozes that are due: each gets a new sequence number, so that nothing published before is valid.
-- A task that waited for its next attempt (a quota) is offered again.
-- Keys: snoozes, task:RUN:TASK, watch, candidates:REPO. Args: how many at most. Answers flat: run, task, attempt, fence, seq, stage.
local found = {}
for _, name in ipairs(redis.call('ZRANGEBYSCORE', key('snoozes'), '-inf', STAMP, 'LIMIT', 0, tonumber(ARGV[1]))) do
  local run, task = string.match(name, '^([^/]*)/(.*)$')
  local t = load_task(run, task)
  redis.call('ZREM', key('snoozes'), name)
  if t and in_flight(t) and t.phase == 'snoozed' then
    next_seq(t)
    open_stage(t, t.stage)
    for _, value in ipairs({ t.run, t.task, t.attempt, t.fence, t.seq, t.stage }) do
      found[#found + 1] = value
    end
  elseif t and startable(t) then
    offer(t)
  end
end
return found
