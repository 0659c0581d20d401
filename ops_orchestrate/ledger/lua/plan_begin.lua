-- Opens the writing of a plan under a writer's id; what another writer had staged is dropped.
-- Keys: run:RUN, tasks:RUN, staged:RUN, task:RUN:*. Args: run, writer.
local run, writer = ARGV[1], ARGV[2]
local state = get(key('run', run), 'state')
if state == '' then
  refuse('RUN', run)
end
if state ~= 'auditing' then
  return 0
end
if get(key('run', run), 'writer') ~= writer then
  for _, task in ipairs(redis.call('LRANGE', key('tasks', run), 0, -1)) do
    redis.call('DEL', key('task', run, task))
  end
  redis.call('DEL', key('tasks', run), key('staged', run))
  redis.call('HSET', key('run', run), 'writer', writer)
end
return 1
