-- What was staged of a plan no longer expires: the tasks from `from` on, so many. Answers 1; 0 where another writer took
-- over, or something had expired already. Keys: run:RUN, tasks:RUN, task:RUN:*. Args: run, writer, from, how many.
local run, writer, from, many = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local name = key('run', run)
local known = redis.call('HMGET', name, 'state', 'writer', 'kept')
local kept = number(known[3])
if known[1] ~= 'auditing' or known[2] ~= writer or kept < from then
  return 0
end
if kept > from then
  return 1
end
for _, what in ipairs({ 'tasks', 'planned', 'work' }) do
  redis.call('PERSIST', key(what, run))
end
local tasks = redis.call('LRANGE', key('tasks', run), from, from + many - 1)
local found = 0
for _, task in ipairs(tasks) do
  found = found + redis.call('PERSIST', key('task', run, task))
end
if found < many then
  return 0
end
redis.call('HSET', name, 'kept', int(from + found))
return 1
