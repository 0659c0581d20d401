-- once
-- Records branch and brief of an attempt; refuses a brief that an earlier attempt had.
-- Keys: task:RUN:TASK, attempt:…, digests:RUN:TASK, events.
-- Args: run, task, attempt, fence, branch, digest, then the data of its evidence, an event each.
local run, task, attempt, fence, branch, digest = unpack(ARGV, 1, 6)
local t = load_task(run, task)
if not current(t, attempt, fence) then
  return 0
end
local used = redis.call('HGET', key('digests', run, task), digest)
if used and used ~= attempt then
  return 0
end
redis.call('HSET', key('digests', run, task), digest, attempt)
redis.call('HSET', attempt_key(t), 'branch', branch, 'brief_digest', digest)
put(t, 'change', branch)
for i = 7, #ARGV do
  task_event(t, 'evidence', ARGV[i])
end
return 1
