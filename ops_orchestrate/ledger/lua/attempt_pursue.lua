-- What is remembered of a change between two looks at it. Keys: task:RUN:TASK, pursuit:RUN:TASK.
-- Args: run, task, attempt, fence, holder, pursuit (JSON), the change's name for people ('' while there is none).
local run, task, attempt, fence, holder, pursuit, change = unpack(ARGV)
local t = load_task(run, task)
if not holds(t, attempt, fence, 'land', holder) then
  return 0
end
redis.call('SET', key('pursuit', run, task), pursuit)
redis.call('HSET', t.key, 'change', change)
return 1
