-- once
-- A task whose attempt is over becomes a composite: its parts join the plan, and it is queued behind them.
-- Answers 1; 0 where the attempt is not the newest one, or the task waits for something else still.
-- Keys: task:RUN:TASK, task:RUN:PART, plan:RUN, tasks:RUN, counts:RUN, work:RUN, notes:RUN:PART, events.
-- Args: run, task, attempt, fence, spec, blocked_by, parts, reason, data of task.split, then per part: id, line, kind and
--       data of the event that announces it.
local run, task, attempt, fence, spec, blocked_by, parts, reason, data = unpack(ARGV, 1, 9)
local t = need_task(run, task)
if not current(t, attempt, fence) or t.phase ~= 'over' or t.state ~= 'running' or t.parts ~= '' or not blockers_done(t) then
  return 0
end
for part in string.gmatch(parts, '%S+') do
  if redis.call('HEXISTS', key('plan', run), part) == 1 then
    return 0
  end
end
local notes = redis.call('LRANGE', key('notes', run, task), 0, -1)
for j = 10, #ARGV, 4 do
  local part = ARGV[j]
  redis.call('HSET', key('plan', run), part, ARGV[j + 1])
  redis.call('RPUSH', key('tasks', run), part)
  redis.call('HINCRBY', key('counts', run), 'queued', 1)
  unfold(run, part, STAMP)
  local p = load_task(run, part)
  work(run, p.repo, number(p.estimate))
  for _, note in ipairs(notes) do
    redis.call('RPUSH', key('notes', run, part), note)
  end
  event(run, ARGV[j + 2], { task = part }, ARGV[j + 3])
end
work(run, t.repo, -number(t.estimate))
move(t, 'queued')
local host = t.host
leave_flight(t)
put(t, 'spec', spec, 'blocked_by', blocked_by, 'parts', parts, 'estimate', '0', 'reason', reason, 'ask', '', 'host', host)
redis.call('HDEL', key('unmerged'), t.member)
task_event(t, 'task.split', data)
return 1
