-- The third part of the prelude: candidates, runs, slots and ownership, attempts.

-- Candidates: an index of what may start; truth is the states ---------------------------------------------------

local function may_begin(t)
  if not startable(t) or t.parts ~= '' or -- a composite has no work of its own
     NOW < number(get(t.key, 'wake_at')) then
    return false
  end
  local run = redis.call('HMGET', key('run', t.run), 'state', 'stop', 'max_waves')
  if run[1] ~= 'running' or (run[2] or '') ~= '' then
    return false
  end
  local limit = tonumber(run[3] or '')
  return not (limit and number(get(t.key, 'wave')) >= limit)
end

local function blockers_done(t)
  for _, id in ipairs(blockers(t.run, t.task)) do
    if get(key('task', t.run, id), 'state') ~= 'completed' then
      return false
    end
  end
  return true
end

local function ready(t)
  return may_begin(t) and blockers_done(t)
end

-- Whether a member of a team may start before its blockers have completed: each that has not is being worked on.
local function may_begin_early(t)
  if t.team ~= '1' or not may_begin(t) then
    return false
  end
  local found = false
  for _, id in ipairs(blockers(t.run, t.task)) do
    local b = redis.call('HMGET', key('task', t.run, id), 'state', 'phase', 'cancel')
    local at_work = b[1] == 'running' and b[2] == 'claimed' and (b[3] or '') ~= '1'
    if b[1] ~= 'completed' and not at_work then
      return false
    end
    found = found or at_work
  end
  return found
end

-- Of each repository its most urgent candidate: what a look at the board begins with.
local function set_head(repo)
  local first = redis.call('ZRANGE', key('candidates', repo), 0, 0, 'WITHSCORES')
  if first[2] then
    redis.call('ZADD', key('candidate_heads'), first[2], repo)
  else
    redis.call('ZREM', key('candidate_heads'), repo)
  end
end

local function withdraw(t)
  if redis.call('SREM', key('offered', t.run), t.task) == 0 then
    return
  end
  redis.call('ZREM', key('candidates', t.repo), t.member)
  redis.call('HDEL', key('cards'), t.member)
  set_head(t.repo)
end

local function offer(t)
  local when = ready(t) and 'now' or may_begin_early(t) and 'early'
  if not when then
    withdraw(t)
    return false
  end
  local new = redis.call('SADD', key('offered', t.run), t.task) == 1
  local known = not new and string.match(get(key('cards'), t.member), '^%S+ (%S+) ')
  if known ~= when then
    local card = redis.call('HMGET', t.key, 'score', 'card')
    redis.call('ZADD', key('candidates', t.repo), card[1], t.member)
    redis.call('HSET', key('cards'), t.member, STAMP .. ' ' .. when .. ' ' .. card[2])
  end
  set_head(t.repo)
  return true
end

-- Those that wait for a task, where some of them may start before it has completed; in a run without teams nobody.
local function dependants_of_teams(t)
  return string.gmatch(get(key('run', t.run), 'teams') == '1' and get(t.key, 'dependants') or '', '%S+')
end

-- Whether somebody has to look at the board: a task waits for a slot, and there is one. Where there is none, whoever gives
-- one back looks. It errs on the safe side: where a setting allows fewer agents, somebody may look for nothing.
local function wanted()
  return redis.call('EXISTS', key('candidate_heads')) == 1 and redis.call('HLEN', key('slots')) < MAX_AGENTS and 1 or 0
end

-- How a task counts for another one that waits for it: its place among what that waits for in this way, how many these
-- are, whether they are its parts. What a composite waited for before it was split is counted by itself.
local function counts_for(task, blocked_by, parts)
  local place, size, own = 0, 0, {}
  for id in string.gmatch(parts, '%S+') do
    size = size + 1
    own[id] = size
  end
  if own[task] then
    return own[task] - 1, size, 1
  end
  size = 0
  for id in string.gmatch(blocked_by, '%S+') do
    if not own[id] then
      place = id == task and size or place
      size = size + 1
    end
  end
  return place, size, 0
end

-- So many of those that wait for a task are looked at in one call: bounds how long a script holds the server.
local DEPENDANTS = 100

-- A task has completed. Of those that wait for it, in the list of their names from place `at` on: what waited for it alone is
-- offered; of the rest its caller is told, five words each: the task that waits, the place of this one, how many there are,
-- whether these are its parts, whether the caller is to see to the size of their join (one caller; in a repeat each, since
-- nobody knows how far that one came). Before them the place from which another call goes on; 0: there are no more.
-- Nothing is left to do where there is no rest, here and before (`left`).
local function open_edges(t, at, left, repeated)
  local rest, seen = { 0 }, 0
  for from, id in string.gmatch(string.sub(get(t.key, 'dependants'), at), '()(%S+)') do
    if seen == DEPENDANTS then
      rest[1] = at + from - 1
      break
    end
    seen = seen + 1
    local other = load_task(t.run, id)
    local place, size, parts = counts_for(t.task, other and get(other.key, 'blocked_by') or '', other and other.parts or '')
    if other and not (size == 1 and offer(other)) then
      local first = size > 1 and redis.call('HSETNX', other.key, parts == 1 and 'join_parts' or 'join', STAMP) or 0
      for _, value in ipairs({ id, place, size, parts, repeated and size > 1 and 1 or first }) do
        rest[#rest + 1] = value
      end
    end
  end
  if #rest == 1 and rest[1] == 0 and not left then
    redis.call('SREM', key('edges'), t.member)
  end
  return rest
end

-- Members of a team that wait for this task may start early while it is being worked on, and not otherwise. Where very
-- many do, the first of them: there are not that many slots.
local function reconsider(t)
  local seen = 0
  for id in dependants_of_teams(t) do
    local known = redis.call('HMGET', key('task', t.run, id), 'state', 'team')
    local team = known[1] and known[2] or not known[1] and (planned_as(t.run, id) or {}).team
    if team == '1' and seen < DEPENDANTS then
      seen = seen + 1
      local other = load_task(t.run, id)
      if other and startable(other) then
        offer(other)
      end
    end
  end
end

local function withdraw_all(run)
  for _, task in ipairs(redis.call('SMEMBERS', key('offered', run))) do
    local t = load_task(run, task)
    if t then
      withdraw(t)
    end
  end
end

-- Runs -----------------------------------------------------------------------------------------------------------

-- The one place that changes a run's state: the work of a run counts while it is running.
local function move_run(run, to)
  local name = key('run', run)
  local from = get(name, 'state')
  if from ~= to and (from == 'running' or to == 'running') then
    local sign = to == 'running' and 1 or -1
    local left = redis.call('HGETALL', key('work', run))
    for i = 1, #left, 2 do
      add_float(key('repo_work'), left[i], sign * number(left[i + 1]))
    end
  end
  redis.call('HSET', name, 'state', to)
  if to ~= 'running' then
    withdraw_all(run)
  end
end

local function counts_json(run)
  local counts = redis.call('HGETALL', key('counts', run))
  local parts = {}
  for i = 1, #counts, 2 do
    if counts[i + 1] ~= '0' then
      parts[#parts + 1] = counts[i]
      parts[#parts + 1] = counts[i + 1]
    end
  end
  return object(unpack(parts))
end

local function stop_of(t)
  local stop = get(key('run', t.run), 'stop')
  if stop == 'now' then
    return stop
  end
  if t.cancel == '1' then
    return 'cancel'
  end
  return stop
end

-- The lives of the server -----------------------------------------------------------------------------------------

-- The id of this life of the server; empty where this user may not ask.
local function life_now()
  local told = redis.pcall('INFO', 'server')
  return type(told) == 'string' and string.match(told, 'run_id:(%w+)') or ''
end

-- Whether it is another one than that which the ledger was opened in: it may have forgotten who works.
local function is_successor(opened_in)
  local life = life_now()
  return life ~= '' and (opened_in or '') ~= '' and life ~= opened_in
end

-- Slots and ownership: taken by a grant, ended together ----------------------------------------------------------

local function write_hold(t)
  redis.call('HSET', key('slots'), t.slot, object('index', t.slot, 'run', str(t.run), 'task', str(t.task),
    'attempt', t.attempt, 'fence', t.fence, 'host', str(t.host), 'taken_at', t.granted_at,
    'lease_until', t.lease_until))
  if t.stage ~= 'implement' then
    return -- a reviewer reads: it owns nothing
  end
  redis.call('HSET', key('owners'), t.fence, object('repo', str(t.repo), 'run', str(t.run), 'task', str(t.task),
    'fence', t.fence, 'host', str(t.host), 'paths', t.paths, 'lease_until', t.lease_until))
end

-- Whether a task's reviewer waits for a slot, or will soon.
local function wants_seat(t)
  return t ~= nil and in_flight(t) and t.stage == 'review' and t.phase ~= 'over' and t.slot == ''
end

-- How many slots are kept for reviewers that wait: what is made already is finished before more is begun.
local function seats_wanted()
  local wanted = 0
  for _, name in ipairs(redis.call('ZRANGE', key('seats'), 0, -1)) do
    local run, task = string.match(name, '^([^/]*)/(.*)$')
    if wants_seat(load_task(run, task)) then
      wanted = wanted + 1
    else
      redis.call('ZREM', key('seats'), name)
    end
  end
  return wanted
end

-- A slot is free: the reviewer that has waited longest looks again now.
local function call_reviewer()
  for _, name in ipairs(redis.call('ZRANGE', key('seats'), 0, -1)) do
    if number(redis.call('ZSCORE', key('snoozes'), name)) > NOW then
      redis.call('ZADD', key('snoozes'), STAMP, name)
      return
    end
  end
end

local function lowest_slot()
  local used = {}
  for _, index in ipairs(redis.call('HKEYS', key('slots'))) do
    used[index] = true
  end
  local index = 1 -- people count slots from one
  while used[tostring(index)] do
    index = index + 1
  end
  return tostring(index)
end

local function release_hold(t)
  if t.slot == '' then
    return
  end
  redis.call('HDEL', key('slots'), t.slot)
  task_event(t, 'slot.released', object('slot', t.slot))
  if redis.call('HDEL', key('owners'), t.fence) == 1 then
    task_event(t, 'ownership.released', object('repo', str(t.repo)))
  end
  put(t, 'slot', '')
  call_reviewer()
end

-- Attempts -------------------------------------------------------------------------------------------------------

-- Whether (attempt, fence) is the newest grant of a task that is still in flight.
local function current(t, attempt, fence)
  return t ~= nil and t.attempt == attempt and t.fence == fence and in_flight(t)
end

-- Whether `holder` holds this stage now.
local function holds(t, attempt, fence, stage, holder)
  return current(t, attempt, fence) and t.stage == stage and t.phase == 'claimed' and t.holder == holder
end

-- The stage is published and waits for somebody to claim it.
local function open_stage(t, stage)
  put(t, 'stage', stage, 'phase', 'open', 'holder', '', 'lease_until', '', 'wake_at', '', 'tries', '0', 'waits', '0')
  redis.call('ZREM', key('snoozes'), t.member)
  redis.call('ZADD', key('watch'), STAMP, t.member)
  if stage ~= 'review' then
    redis.call('ZREM', key('seats'), t.member)
  end
end

-- Not yet: the claim is given back without ending the stage, until the wake-up. `mark` says who did that.
local function snooze(t, pause, note, mark)
  settle_money(t, '0', '0') -- a reviewer that was never started
  release_hold(t)
  local wake_at = seconds(NOW + number(pause))
  put(t, 'phase', 'snoozed', 'holder', '', 'lease_until', '', 'wake_at', wake_at, 'snoozed_by', mark)
  redis.call('ZREM', key('watch'), t.member)
  redis.call('ZADD', key('snoozes'), wake_at, t.member)
  task_event(t, 'task.snoozed', object('stage', str(t.stage), 'wake_at', wake_at, 'note', str(note)))
end

-- The next publication of the tail: everything published before is stale.
local function next_seq(t)
  local seq = int(number(t.seq) + 1)
  put(t, 'seq', seq, 'floor', seq)
end

-- The attempt is over; settling it is due.
local function over(t)
  put(t, 'phase', 'over', 'holder', '', 'lease_until', '')
  redis.call('ZREM', key('seats'), t.member)
  redis.call('ZADD', key('watch'), STAMP, t.member)
end

local function attempt_key(t)
  return key('attempt', t.run, t.task, t.attempt)
end

-- An attempt that does not count: neither against the limit nor its brief as a used one.
local function uncount(t)
  local name = attempt_key(t)
  if get(name, 'counted') ~= '1' then
    return
  end
  redis.call('HSET', name, 'counted', '0')
  redis.call('HINCRBY', t.key, 'spent', -1)
  local digest = get(name, 'brief_digest')
  if digest ~= '' then
    redis.call('HDEL', key('digests', t.run, t.task), digest)
  end
end

-- The one place that gives a task its merge: how many a run has is counted by repository.
local function merged(t, commit)
  if t.merge == '' then
    redis.call('HINCRBY', key('merges', t.run), t.repo, 1)
  end
  put(t, 'merge', commit)
end

-- The base shows a merge, which `data` tells.
local function prove(t, intent, commit, data)
  if t.merge ~= commit then
    merged(t, commit)
    task_event(t, 'merge.proved', data)
  end
  redis.call('SET', key('intent', t.run, t.task), intent)
end

-- How long attempts take: a moving average per repository, and over all under ''.
local function learn(repo, took)
  for _, field in ipairs({ repo, '' }) do
    local old = tonumber(redis.call('HGET', key('lengths'), field) or '')
    redis.call('HSET', key('lengths'), field, seconds(old and (0.7 * old + 0.3 * took) or took))
  end
end

-- Everything that must not outlive an attempt.
local function leave_flight(t)
  settle_money(t, '', '')
  release_hold(t)
  redis.call('ZREM', key('watch'), t.member)
  redis.call('ZREM', key('snoozes'), t.member)
  redis.call('ZREM', key('seats'), t.member)
  put(t, 'phase', '', 'holder', '', 'lease_until', '', 'wake_at', '', 'cancel', '', 'host', '', 'early', '')
end

-- A task has reached `completed`: its edges are due, its change is no longer pending.
local function finish_task(t)
  redis.call('SADD', key('edges'), t.member)
  redis.call('HDEL', key('unmerged'), t.member)
  redis.call('DEL', key('intent', t.run, t.task))
end

local function settled_event(t, reason, ask)
  task_event(t, 'task.settled', object('state', str(t.state), 'reason', str(reason), 'ask', str(ask),
    'merge', str(t.merge), 'head', str(t.head)))
end
