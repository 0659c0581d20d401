-- Takes an announced merge back; only the newest grant may. Keys: task:RUN:TASK, intent:RUN:TASK. Args: run, task, attempt, fence.
local t = load_task(ARGV[1], ARGV[2])
if not t or t.attempt ~= ARGV[3] or t.fence ~= ARGV[4] then
  return 0
end
redis.call('DEL', key('intent', t.run, t.task))
return 1
