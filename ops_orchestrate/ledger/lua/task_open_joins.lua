-- Lets one caller, ever, set the size of each of these joins; `parts`: of the one behind which a task's parts come together.
-- Keys: task:RUN:TASK. Args: run, caller's token, then per join: task, parts (1/0). Answers per join 1 or 0.
for i = 3, #ARGV, 2 do
  need_task(ARGV[1], ARGV[i])
end
local answers = {}
for i = 3, #ARGV, 2 do
  local name, field = key('task', ARGV[1], ARGV[i]), ARGV[i + 1] == '1' and 'join_parts' or 'join'
  redis.call('HSETNX', name, field, ARGV[2])
  answers[#answers + 1] = get(name, field) == ARGV[2] and 1 or 0
end
return answers
