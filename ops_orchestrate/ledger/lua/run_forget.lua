-- Forgets a run that is over for good: every task of it has ended, and nobody can go on with it.
-- Keys: all of the run's and of its tasks, runs, run_wakes, claims, money:run:RUN. Args: run, `ended before` (seconds).
local run, before = ARGV[1], number(ARGV[2])
local name = key('run', run)
local known = redis.call('HMGET', name, 'state', 'finished_at')
local state, ended = known[1], number(known[2])
if not state or state == 'auditing' or state == 'running' or ended == 0 or ended > before then
  return 0
end
-- A promotion may still wait for somebody's word.
if state ~= 'done' and state ~= 'failed' and redis.call('EXISTS', key('promotions', run)) == 1 then
  return 0
end
local over = { completed = true, cancelled = true, discarded = true }
local counts = redis.call('HGETALL', key('counts', run))
for i = 1, #counts, 2 do
  if number(counts[i + 1]) > 0 and not over[counts[i]] then
    return 0
  end
end
local tasks = redis.call('LRANGE', key('tasks', run), 0, -1)
for _, task in ipairs(tasks) do
  local last = number(get(key('task', run, task), 'attempt'))
  for attempt = 1, last do
    redis.call('DEL', key('attempt', run, task, attempt))
  end
  for _, what in ipairs({ 'task', 'digests', 'notes', 'mail', 'mail_ids', 'intent', 'pursuit' }) do
    redis.call('DEL', key(what, run, task))
  end
  redis.call('DEL', key('money', 'task', run .. '/' .. task))
end
local claims = redis.call('HGETALL', key('claims'))
for i = 1, #claims, 2 do
  if cjson.decode(claims[i + 1]).run == run then
    redis.call('HDEL', key('claims'), claims[i])
  end
end
for _, what in ipairs({ 'parts', 'plan', 'tasks', 'announced', 'counts', 'merges', 'work', 'offered', 'promotions', 'gates', 'events' }) do
  redis.call('DEL', key(what, run))
end
redis.call('DEL', name, key('money', 'run', run))
redis.call('ZREM', key('runs'), run)
redis.call('ZREM', key('run_wakes'), run)
return 1
