-- Lets one caller, ever, set the size of a task's join; `parts`: of the one behind which its parts come together.
-- Keys: task:RUN:TASK. Args: run, task, caller's token, parts (1/0).
local name = key('task', ARGV[1], ARGV[2])
if redis.call('EXISTS', name) == 0 then
  need_task(ARGV[1], ARGV[2])
end
local field = ARGV[4] == '1' and 'join_parts' or 'join'
redis.call('HSETNX', name, field, ARGV[3])
return get(name, field) == ARGV[3] and 1 or 0
