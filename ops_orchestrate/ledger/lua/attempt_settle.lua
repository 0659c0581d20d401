-- once
-- An attempt that is over leaves its task in a new state. Answers applied, state, dependants (separated by
-- spaces), how many tasks of the run are blocked now.
-- Keys: task:RUN:TASK, watch, snoozes, unmerged, edges, intent, counts, work.
-- Args: run, task, attempt, fence, state, reason, ask, not before (seconds since 1970; 0: at once).
local run, task, attempt, fence, state, reason, ask, not_before = unpack(ARGV)
local t = need_task(run, task)
local waiting = get(t.key, 'dependants')

local function answer(applied)
  return { applied, t.state, waiting, get(key('counts', run), 'blocked') }
end

if not current(t, attempt, fence) or t.phase ~= 'over' then
  return answer(0)
end
if in_flight({ state = state }) then
  refuse('MOVE', t.state .. '>' .. state) -- a settlement ends an attempt, it never goes on with one
end
move(t, state)
local host = t.host
leave_flight(t)
put(t, 'reason', reason, 'ask', ask, 'host', host)
if state == 'completed' then
  finish_task(t)
elseif state ~= 'blocked' then
  redis.call('HDEL', key('unmerged'), t.member)
end
settled_event(t, reason, ask)
-- Members that have started early and wait with what they made look again at once.
for id in dependants(t) do
  local other = load_task(run, id)
  if other and other.early == '1' and other.phase == 'snoozed' then
    redis.call('ZADD', key('snoozes'), 'XX', STAMP, other.member)
  end
end
if state == 'retryable' and number(not_before) > NOW then
  put(t, 'wake_at', seconds(number(not_before)))
  redis.call('ZADD', key('snoozes'), seconds(number(not_before)), t.member)
  task_event(t, 'task.snoozed', object('stage', str('implement'), 'wake_at', seconds(number(not_before)), 'note', str(reason)))
end
return answer(1)
