-- once
-- The newest attempt has been told the messages up to this number. Answers 1, or 0 for a stale key or a number known already.
-- Keys: task:RUN:TASK, attempt:RUN:TASK:N, events. Args: run, task, attempt, fence, number, how.
local run, task, attempt, fence, upto, how = unpack(ARGV)
local t = load_task(run, task)
if not current(t, attempt, fence) then
  return 0
end
local before = number(get(attempt_key(t), 'told'))
if number(upto) <= before then
  return 0
end
redis.call('HSET', attempt_key(t), 'told', upto)
for one = before + 1, number(upto) do
  task_event(t, 'message.delivered', object('number', int(one), 'how', str(how)))
end
return 1
