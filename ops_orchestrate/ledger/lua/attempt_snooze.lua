-- Not yet: the stage's claim is given back without ending it, until the wake-up.
-- Keys: task:RUN:TASK, snoozes, watch. Args: run, task, attempt, fence, stage, holder, seconds, note.
local run, task, attempt, fence, stage, holder, pause, note = unpack(ARGV)
local t = load_task(run, task)
local mark = stage .. ' ' .. holder
if current(t, attempt, fence) and t.phase == 'snoozed' and get(t.key, 'snoozed_by') == mark then
  return 1
end
if not holds(t, attempt, fence, stage, holder) then
  return 0
end
local wake_at = seconds(NOW + number(pause))
put(t, 'phase', 'snoozed', 'holder', '', 'lease_until', '', 'wake_at', wake_at, 'snoozed_by', mark)
redis.call('ZREM', key('watch'), t.member)
redis.call('ZADD', key('snoozes'), wake_at, t.member)
task_event(t, 'task.snoozed', object('stage', str(stage), 'wake_at', wake_at, 'note', str(note)))
return 1
