-- once
-- Gives slots, ownership and fences to the picks, if the board is still the one that was looked at.
-- Keys: board, slots, owners, seats, task:RUN:TASK, attempt state, watch, money:*, parked, events.
-- Args: version, cap, lease, then per pick: run, task, what it reserves (JSON; '' nothing), host ('' any).
-- Answers flat: run, task, attempt, fence, slot, host, repository, title.
local version, cap, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local board = redis.call('HMGET', key('board'), 'version', 'quiet_until', 'server')
if (board[1] or '0') ~= version or NOW < number(board[2] or '0') or is_successor(board[3]) then
  return {}
end
local free = math.min(MAX_AGENTS, cap) - redis.call('HLEN', key('slots')) - seats_wanted()
local owned = {} -- repository: 'all' (somebody owns the whole of it) or 'part'
for _, text in ipairs(redis.call('HVALS', key('owners'))) do
  local owner = cjson.decode(text)
  owned[owner.repo] = (#owner.paths == 0 or owned[owner.repo] == 'all') and 'all' or 'part'
end

local function repo_free(t)
  local all = t.paths == '' or t.paths == '[]'
  return owned[t.repo] == nil or (owned[t.repo] == 'part' and not all)
end

local function grant(t, early, host)
  withdraw(t)
  -- Never below the clock: a ledger that lost everything starts above every fence ever given.
  local fence = int(math.max(number(get(key('board'), 'fence')) + 1, math.floor(NOW * 1000)))
  redis.call('HSET', key('board'), 'fence', fence)
  local slot = lowest_slot()
  owned[t.repo] = (t.paths == '' or t.paths == '[]') and 'all' or 'part'
  local from = t.state
  move(t, 'running')
  put(t, 'attempt', int(number(t.attempt) + 1), 'fence', fence, 'slot', slot, 'stage', 'implement', 'phase', 'granted',
    'seq', '0', 'floor', '0', 'holder', '', 'host', host, 'tries', '0', 'waits', '0', 'granted_at', STAMP,
    'lease_until', seconds(NOW + lease), 'came_from', from, 'wake_at', '', 'cancel', '', 'head', '', 'ended_by', '',
    'early', early and '1' or '')
  write_hold(t)
  redis.call('ZADD', key('watch'), STAMP, t.member)
  task_event(t, 'slot.taken', early and object('slot', slot, 'early', 'true') or object('slot', slot))
  task_event(t, 'ownership.taken', object('repo', str(t.repo), 'paths', t.paths))
  return fence, slot
end

local grants = {}
for i = 4, #ARGV, 4 do
  local t = load_task(ARGV[i], ARGV[i + 1])
  local reserve = ARGV[i + 2] ~= '' and cjson.decode(ARGV[i + 2])
  local now = t and ready(t)
  local early = t and not now and may_begin_early(t)
  if t and not (now or early) then
    withdraw(t) -- what it was offered for has passed
  elseif t and (free > 1 or (free > 0 and now)) and repo_free(t) and not (reserve and not affordable(reserve)) then
    local title = cjson.decode(get(t.key, 'spec')).title or ''
    local fence, slot = grant(t, early, ARGV[i + 3])
    if reserve then
      set_aside(t, reserve, ARGV[i + 2])
    end
    redis.call('HDEL', key('run', t.run), 'waiting')
    free = free - 1
    for _, value in ipairs({ t.run, t.task, t.attempt, fence, slot, t.host, t.repo, title }) do
      grants[#grants + 1] = value
    end
  end
end
if #grants > 0 then
  redis.call('HINCRBY', key('board'), 'version', 1)
end
return grants
