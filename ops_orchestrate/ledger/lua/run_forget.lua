-- Forgets a run that is over for good: every task of it has ended, and nobody can go on with it. A part in each call: first its
-- claims, by a cursor over all claims, then so many of its tasks, then the rest. From the first call on nobody reads its plan, goes on
-- with it, or minds its claims.
-- Answers what is to be asked next: a cursor, `tasks`, `done`; nothing where it may not be forgotten, or is not there.
-- Keys: all of the run's and of its tasks, runs, run_wakes, claims, edges, money:run:RUN. Args: run, `ended before` (seconds),
--       what the last call has answered (`0` at first), how many at a time.
local run, before, next_, at_once = ARGV[1], number(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local name = key('run', run)
local known = redis.call('HMGET', name, 'state', 'finished_at')
local state, ended = known[1], number(known[2])
if not state or state == 'auditing' or state == 'running' or ended == 0 or ended > before then
  return ''
end
-- A promotion may still wait for somebody's word.
if state ~= 'done' and state ~= 'failed' and redis.call('EXISTS', key('promotions', run)) == 1 then
  return ''
end
local over = { completed = true, cancelled = true, discarded = true }
local counts = redis.call('HGETALL', key('counts', run))
for i = 1, #counts, 2 do
  if number(counts[i + 1]) > 0 and not over[counts[i]] then
    return ''
  end
end
redis.call('HSET', name, 'planned', '0', 'forgetting', '1')

if next_ ~= 'tasks' then
  local found = redis.call('HSCAN', key('claims'), next_, 'COUNT', at_once)
  for i = 1, #found[2], 2 do
    if cjson.decode(found[2][i + 1]).run == run then
      redis.call('HDEL', key('claims'), found[2][i])
    end
  end
  return found[1] == '0' and 'tasks' or found[1]
end

local tasks = redis.call('LRANGE', key('tasks', run), 0, at_once - 1)
for _, task in ipairs(tasks) do
  local last = number(get(key('task', run, task), 'attempt'))
  for attempt = 1, last do
    redis.call('DEL', key('attempt', run, task, attempt))
  end
  local names = { key('money', 'task', run .. '/' .. task) }
  for _, what in ipairs({ 'task', 'digests', 'notes', 'mail', 'mail_ids', 'intent', 'pursuit' }) do
    names[#names + 1] = key(what, run, task)
  end
  redis.call('DEL', unpack(names))
  redis.call('SREM', key('edges'), run .. '/' .. task)
end
redis.call('LTRIM', key('tasks', run), #tasks, -1)
if redis.call('EXISTS', key('tasks', run)) == 1 then
  return 'tasks'
end
local rest = { 'parts', 'plan', 'announced', 'counts', 'merges', 'work', 'offered', 'promotions', 'gates', 'events',
  'planned' } -- the last one is an earlier version's: the events of its plan
for _, what in ipairs(rest) do
  redis.call('UNLINK', key(what, run))
end
redis.call('DEL', name, key('money', 'run', run))
redis.call('ZREM', key('runs'), run)
redis.call('ZREM', key('run_wakes'), run)
return 'done'
