-- once
-- What the reviewer said of the attempt's head is kept with the attempt. Answers 1; 0: the claim is lost.
-- Keys: task:RUN:TASK, attempt:RUN:TASK:N, events. Args: run, task, attempt, fence, holder, review (JSON), data of its event (JSON).
local run, task, attempt, fence, holder, review, data = unpack(ARGV)
local t = load_task(run, task)
if not holds(t, attempt, fence, 'review', holder) then
  return 0
end
redis.call('HSET', attempt_key(t), 'review', review)
task_event(t, 'evidence', data)
return 1
