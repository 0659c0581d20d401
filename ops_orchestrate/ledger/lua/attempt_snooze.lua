-- Not yet: the stage's claim is given back without ending it, until the wake-up.
-- Keys: task:RUN:TASK, snoozes, watch, slots. Args: run, task, attempt, fence, stage, holder, seconds, note.
local run, task, attempt, fence, stage, holder, pause, note = unpack(ARGV)
local t = load_task(run, task)
local mark = stage .. ' ' .. holder
if current(t, attempt, fence) and t.phase == 'snoozed' and get(t.key, 'snoozed_by') == mark then
  return 1
end
if not holds(t, attempt, fence, stage, holder) then
  return 0
end
snooze(t, pause, note, mark)
return 1
