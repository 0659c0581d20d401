-- once
-- A task that was never started turns out to be done, or to need a person. Keys: task:RUN:TASK. Args: run, task, state, reason, ask.
local run, task, state, reason, ask = unpack(ARGV)
local t = need_task(run, task)
if t.state ~= 'queued' or (state ~= 'completed' and state ~= 'blocked') then
  return 0
end
withdraw(t)
move(t, state)
put(t, 'reason', reason, 'ask', ask)
if state == 'completed' then
  finish_task(t)
end
settled_event(t, reason, ask)
return 1
