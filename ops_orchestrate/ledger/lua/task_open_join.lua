-- Lets one caller, ever, set the size of a task's join. Keys: task:RUN:TASK. Args: run, task, caller's token.
local name = key('task', ARGV[1], ARGV[2])
if redis.call('EXISTS', name) == 0 then
  need_task(ARGV[1], ARGV[2])
end
redis.call('HSETNX', name, 'join', ARGV[3])
return get(name, 'join') == ARGV[3] and 1 or 0
