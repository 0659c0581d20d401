-- Prepended to every script, after the tables MOVES, ORDER and STATE_OF that are made from core/states.py, FOLDED,
-- FIELD and LINE of folded.py, and MAX_AGENTS of core/board.py.
-- KEYS[1] is the prefix of all keys, ARGV[1] a token that names this call ("" where a repeat is harmless).
-- Nothing here may fail after its first write: a script that refuses does so before it writes.
local PREFIX = KEYS[1]
local TOKEN = table.remove(ARGV, 1)
local CLOCK = redis.call('TIME')
local NOW = tonumber(CLOCK[1]) + tonumber(CLOCK[2]) / 1000000
local STAMP = string.format('%.6f', NOW)

local function key(...)
  return PREFIX .. table.concat({ ... }, ':')
end

local function get(name, field)
  return redis.call('HGET', name, field) or ''
end

local function number(text)
  return tonumber(text) or 0
end

local function int(value)
  return string.format('%.0f', number(value))
end

local function seconds(value)
  return string.format('%.6f', value)
end

-- JSON is put together by hand: cjson writes an empty list as {} and cuts long numbers.
local function str(text)
  return string.sub(cjson.encode({ text }), 2, -2)
end

local function object(...)
  local parts = { ... }
  local out = {}
  for i = 1, #parts, 2 do
    out[#out + 1] = '"' .. parts[i] .. '":' .. parts[i + 1]
  end
  return '{' .. table.concat(out, ',') .. '}'
end

local function list(items)
  local out = {}
  for i, item in ipairs(items) do
    out[i] = str(item)
  end
  return '[' .. table.concat(out, ',') .. ']'
end

-- Lines of two fields (folded.py), as one flat list. One text is sent much faster than as many arguments.
local function halves(lines)
  local out, from = {}, 1
  while from <= #lines do
    local mid = string.find(lines, FIELD, from, true)
    local last = string.find(lines, LINE, mid, true)
    out[#out + 1] = string.sub(lines, from, mid - 1)
    out[#out + 1] = string.sub(lines, mid + 1, last - 1)
    from = last + 1
  end
  return out
end

-- One command for many items: so many at a time fit on the stack of Lua.
local AT_ONCE = 2000
local function in_batches(command, where, items)
  for i = 1, #items, AT_ONCE do
    redis.call(command, where, unpack(items, i, math.min(i + AT_ONCE - 1, #items)))
  end
end

local function refuse(code, what)
  error('OPS:' .. code .. ':' .. what, 0)
end

-- Locks ----------------------------------------------------------------------------------------------------------

-- The server ends a lock by its clock. Since when and for how long it was given stands beside its holder, because by a
-- clock that has gone back since it would last for so much longer: whoever looks then has it end within its time again.
local function lock_for(name, holder, ms)
  redis.call('SET', name, STAMP .. ' ' .. ms .. ' ' .. holder, 'PX', ms)
end

local function lock_holder(name)
  local value = redis.call('GET', name)
  if not value then
    return ''
  end
  local since, ms, holder = string.match(value, '^(%d+%.%d+) (%d+) (.*)$')
  if since and tonumber(since) > NOW then
    lock_for(name, holder, ms)
  end
  return holder or value
end

local function take_lock(name, holder, ms)
  local other = lock_holder(name)
  if other ~= '' and other ~= holder then
    return 0
  end
  lock_for(name, holder, ms)
  return 1
end

local function give_lock_back(name, holder)
  if lock_holder(name) ~= holder then
    return 0
  end
  return redis.call('DEL', name)
end

-- Events ---------------------------------------------------------------------------------------------------------

local function event(run, kind, where, data)
  local seq = redis.call('HINCRBY', key('run', run), 'seq', 1)
  redis.call('XADD', key('events', run), int(seq) .. '-0', 'at', STAMP, 'kind', kind,
    'task', where.task or '', 'attempt', where.attempt or '', 'fence', where.fence or '',
    'host', where.host or '', 'data', data or '{}')
end

-- Tasks ----------------------------------------------------------------------------------------------------------

local FIELDS = { 'state', 'attempt', 'fence', 'stage', 'phase', 'seq', 'floor', 'holder', 'lease_until', 'repo',
  'estimate', 'slot', 'host', 'paths', 'granted_at', 'came_from', 'cancel', 'tries', 'waits', 'head', 'merge',
  'ended_by', 'team', 'early', 'parts', 'spared' }

-- A plan that is being written is nobody's business: its tasks are there when all of it is.
local PLANNED = {}
local function has_plan(run)
  if PLANNED[run] == nil then
    PLANNED[run] = get(key('run', run), 'planned') == '1'
  end
  return PLANNED[run]
end

-- Whose a claim is; nil where that run is being forgotten, for then it is nobody's.
local FORGETTING = {}
local function owner_of(claim)
  local owner = cjson.decode(claim)
  if FORGETTING[owner.run] == nil then
    FORGETTING[owner.run] = get(key('run', owner.run), 'forgetting') ~= ''
  end
  return not FORGETTING[owner.run] and owner or nil
end

-- What the line of a task says (folded.py); false if there is none.
local function planned_as(run, task)
  local line = redis.call('HGET', key('plan', run), task)
  if not line then
    return false
  end
  local f, n = {}, 0
  for value in string.gmatch(line .. FIELD, '([^' .. FIELD .. ']*)' .. FIELD) do
    n = n + 1
    f[FOLDED[n] or n] = value
  end
  if n ~= #FOLDED then
    refuse('LINE', run)
  end
  return f
end

-- A task that nobody has touched is one line of its plan. It gets a hash of its own; false if there is none.
local function unfold(run, task, since)
  local f = planned_as(run, task)
  if not f then
    return false
  end
  local settled = f.settled ~= '' and cjson.decode(f.settled) or { 'queued', '', '' }
  local card = object('run', str(run), 'task', str(task), 'repo', str(f.repo), 'project', str(f.project),
    'paths', f.paths, 'priority', str(f.urgency), 'path_left', f.path_left, 'estimate', f.estimate,
    'part_of', str(f.part_of), 'of_parts', f.of_parts)
  redis.call('HSET', key('task', run, task), 'spec', f.spec, 'card', card, 'score', f.score, 'state', settled[1],
    'reason', settled[2], 'ask', settled[3], 'repo', f.repo, 'paths', f.paths, 'estimate', f.estimate, 'wave', f.wave,
    'team', f.team, 'blocked_by', f.blocked_by, 'dependants', f.dependants, 'attempt', '0', 'updated_at', since)
  return true
end

-- What the scripts need of a task; nil if there is none. Every value is a string, '' where it is not set.
local function load_task(run, task)
  local name = key('task', run, task)
  local values = redis.call('HMGET', name, unpack(FIELDS))
  if not has_plan(run) then
    return nil
  end
  if not values[1] then
    if not unfold(run, task, get(key('run', run), 'plan_at')) then
      return nil
    end
    values = redis.call('HMGET', name, unpack(FIELDS))
  end
  local t = { run = run, task = task, key = key('task', run, task), member = run .. '/' .. task }
  for i, field in ipairs(FIELDS) do
    t[field] = values[i] or ''
  end
  return t
end

local function need_task(run, task)
  local t = load_task(run, task)
  if t then
    return t
  end
  if redis.call('EXISTS', key('run', run)) == 0 then
    refuse('RUN', run)
  end
  refuse('TASK', task)
end

local function put(t, ...)
  local pairs_ = { ... }
  for i = 1, #pairs_, 2 do
    t[pairs_[i]] = pairs_[i + 1]
  end
  redis.call('HSET', t.key, ...)
end

local function task_event(t, kind, data)
  local attempt = t.attempt ~= '0' and t.attempt or ''
  event(t.run, kind, { task = t.task, attempt = attempt, fence = attempt ~= '' and t.fence or '', host = t.host }, data)
end

local function blockers(run, task)
  local out = {}
  for id in string.gmatch(get(key('task', run, task), 'blocked_by'), '%S+') do
    out[#out + 1] = id
  end
  return out
end

-- Work that is left, per repository: of the run, and over all open runs -----------------------------------------

local WORKING = { queued = true, retryable = true, running = true, verifying = true, shipping = true }

local function add_float(name, field, delta)
  local left = tonumber(redis.call('HINCRBYFLOAT', name, field, seconds(delta)))
  if left < 0.001 then
    redis.call('HDEL', name, field)
  end
end

local function work(run, repo, delta)
  add_float(key('work', run), repo, delta)
  if get(key('run', run), 'state') == 'running' then
    add_float(key('repo_work'), repo, delta)
  end
end

-- The one place that changes a task's state.
local function move(t, to)
  local from = t.state
  if not (MOVES[from] and MOVES[from][to]) then
    refuse('MOVE', from .. '>' .. to)
  end
  put(t, 'state', to, 'updated_at', STAMP)
  redis.call('HINCRBY', key('counts', t.run), from, -1)
  redis.call('HINCRBY', key('counts', t.run), to, 1)
  if WORKING[from] and not WORKING[to] then
    work(t.run, t.repo, -number(t.estimate))
  elseif WORKING[to] and not WORKING[from] then
    work(t.run, t.repo, number(t.estimate))
  end
end

local function may_move(t, to)
  return MOVES[t.state] ~= nil and MOVES[t.state][to] == true
end

local function in_flight(t)
  return t.state == 'running' or t.state == 'verifying' or t.state == 'shipping'
end

local function startable(t)
  return t.state == 'queued' or t.state == 'retryable'
end
