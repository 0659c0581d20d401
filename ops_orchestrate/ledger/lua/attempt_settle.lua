-- once
-- An attempt that is over leaves its task in a new state, and what that frees is offered.
-- Answers applied, state, how many tasks of the run are blocked now, how many are in flight, whether somebody has to look
-- at the board (1/0), what is left to do for its dependants (see open_edges).
-- Keys: task:RUN:TASK and its dependants, watch, snoozes, unmerged, edges, intent, counts, work, candidates:REPO, cards,
--       candidate_heads, slots.
-- Args: run, task, attempt, fence, state, reason, ask, not before (seconds since 1970; 0: at once).
local run, task, attempt, fence, state, reason, ask, not_before = unpack(ARGV)
local t = need_task(run, task)

local function answer(applied)
  local due = redis.call('SISMEMBER', key('edges'), t.member) == 1
  local rest = due and open_edges(t, 1, false, applied == 0) or { 0 }
  local counts = redis.call('HMGET', key('counts', run), 'blocked', 'running', 'verifying', 'shipping')
  local in_flight_ = number(counts[2] or '') + number(counts[3] or '') + number(counts[4] or '')
  return { applied, t.state, number(counts[1] or ''), in_flight_, wanted(), rest }
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
for id in dependants_of_teams(t) do
  local other = redis.call('HMGET', key('task', run, id), 'early', 'phase')
  if other[1] == '1' and other[2] == 'snoozed' then
    redis.call('ZADD', key('snoozes'), 'XX', STAMP, run .. '/' .. id)
  end
end
if state == 'retryable' and number(not_before) > NOW then
  put(t, 'wake_at', seconds(number(not_before)))
  redis.call('ZADD', key('snoozes'), seconds(number(not_before)), t.member)
  task_event(t, 'task.snoozed', object('stage', str('implement'), 'wake_at', seconds(number(not_before)), 'note', str(reason)))
end
if startable(t) then
  offer(t)
end
return answer(1)
