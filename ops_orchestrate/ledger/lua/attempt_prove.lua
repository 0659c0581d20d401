-- The base shows the merge. Keys: task:RUN:TASK, intent:RUN:TASK, merges, events.
-- Args: run, task, attempt, fence, holder, intent (JSON), commit, data of the event.
local run, task, attempt, fence, holder, intent, commit, data = unpack(ARGV)
local t = load_task(run, task)
if not holds(t, attempt, fence, 'land', holder) then
  return 0
end
prove(t, intent, commit, data)
return 1
