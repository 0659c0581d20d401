-- once
-- Writes a chunk of tasks of a plan that nobody sees yet.
-- Keys: run:RUN, task:RUN:*, tasks:RUN, staged:RUN.
-- Args: run, writer, then per task: id, number of fields n, n fields and values, number of events m, m times kind and data.
local run, writer = ARGV[1], ARGV[2]
local known = redis.call('HMGET', key('run', run), 'state', 'writer')
if known[1] ~= 'auditing' or known[2] ~= writer then
  return 0
end
local i = 3
while i <= #ARGV do
  local task, n = ARGV[i], tonumber(ARGV[i + 1])
  i = i + 2
  redis.call('HSET', key('task', run, task), 'updated_at', STAMP, unpack(ARGV, i, i + 2 * n - 1))
  i = i + 2 * n
  redis.call('RPUSH', key('tasks', run), task)
  local m = tonumber(ARGV[i])
  for j = i + 1, i + 2 * m, 2 do
    redis.call('RPUSH', key('staged', run), task, ARGV[j], ARGV[j + 1])
  end
  i = i + 1 + 2 * m
end
return 1
