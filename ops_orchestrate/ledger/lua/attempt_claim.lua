-- Claims a stage of an attempt. The same holder may ask again and gets the same answer.
-- Keys: task:RUN:TASK, attempt:RUN:TASK:N, run:RUN, gates:RUN, slots, owners, watch, events.
-- Args: run, task, attempt, fence, seq, stage, holder, host, lease, agent, then fields of the run.
-- Answers kind; where it is `ok` also stop, what is reserved (JSON), those fields, the gates of the run, the task.
local run, task, attempt, fence, seq, stage, holder, host, lease, agent = unpack(ARGV, 1, 10)
local t = load_task(run, task)

-- Whether what an early member waits for is still under way; whether anything is left of it to wait for.
local function still_early()
  local waits = false
  for _, id in ipairs(t and t.early == '1' and blockers(run, task) or {}) do
    local state = get(key('task', run, id), 'state')
    if state ~= 'completed' and not in_flight({ state = state }) then
      return false, true
    end
    waits = waits or state ~= 'completed'
  end
  return true, waits
end

-- nil: it may be claimed.
local function verdict()
  if not current(t, attempt, fence) then
    return 'stale'
  end
  if number(seq) < number(t.floor) or number(seq) > number(t.seq) then
    return 'stale'
  end
  if ORDER[stage] < ORDER[t.stage] then
    return 'done'
  end
  if t.phase == 'over' then
    return ORDER[stage] > ORDER[t.stage] and 'pass' or 'done'
  end
  if stage ~= t.stage or t.phase == 'snoozed' then
    return 'stale'
  end
  if stage == 'implement' and not still_early() then
    return 'stale' -- the reaper takes the grant back
  end
  if t.phase == 'claimed' and t.holder ~= holder then
    if NOW < number(t.lease_until) then
      return 'taken'
    end
    -- An agent's dead attempt is the reaper's to end; the work of a later stage can simply be done again.
    return stage == 'implement' and 'stale' or nil
  end
end

local function start_attempt()
  local name = attempt_key(t)
  redis.call('DEL', name)
  redis.call('HSET', name, 'number', attempt, 'fence', fence, 'agent', agent, 'host', host, 'started_at', STAMP,
    'counted', '1')
  redis.call('HINCRBY', t.key, 'spent', 1)
  local _, waits = still_early()
  local early = waits and ',"early":true}' or '}'
  task_event(t, 'attempt.started', string.sub(object('agent', str(agent), 'host', str(host)), 1, -2) .. early)
end

local answer = verdict()
if answer then
  return { answer }
end
local first = t.phase ~= 'claimed' or t.holder ~= holder
if t.phase == 'claimed' and t.holder ~= holder then
  put(t, 'tries', int(number(t.tries) + 1))
end
put(t, 'phase', 'claimed', 'holder', holder, 'host', host, 'ended_by', '', 'lease_until', seconds(NOW + number(lease)), 'waits', '0',
  'spared', '')
redis.call('ZADD', key('watch'), t.lease_until, t.member)
if t.slot ~= '' then
  write_hold(t)
end
if first and stage == 'implement' then
  start_attempt()
  reconsider(t)
elseif first then
  task_event(t, 'stage.claimed', object('stage', str(stage)))
end
local fields = redis.call('HMGET', key('run', run), unpack(ARGV, 11))
return { 'ok', stop_of(t), get(t.key, 'reserve'), fields, redis.call('HGETALL', key('gates', run)), redis.call('HGETALL', t.key) }
