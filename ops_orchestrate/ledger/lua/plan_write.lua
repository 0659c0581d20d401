-- Writes a chunk of a plan that nobody sees yet; with `end` it shows the plan, in the same step: auditing to running.
-- The calls of a writer are numbered from 1, and a repeated one changes nothing. The first one of another writer takes
-- over, and drops what was staged before. What is staged expires, until plan_keep keeps it.
-- Answers 1; 0 where the run has a plan, another writer took over, or what was staged has expired; 2 where more is to
-- be dropped: the same call again goes on with that.
-- Keys: run:RUN, task:RUN:*, tasks:RUN, planned:RUN, work:RUN, counts:RUN, repo_work, events:RUN.
-- Args: run, writer, number of the call, seconds that what is staged lives, tasks dropped at a time,
--       number of words of `end`, those: number of tasks, skipped, unknown (JSON lists), data of run.planned, states and counts,
--       number of repositories w, w times repository and seconds of work,
--       then per task: id, number of fields n, n fields and values, number of events m, m times kind and data.
local run, writer, at, seconds_, drop_at_once = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local words = tonumber(ARGV[6])
local shows = words > 0
local name, tasks, events = key('run', run), key('tasks', run), key('planned', run)
local known = redis.call('HMGET', name, 'state', 'writer', 'staged', 'planned', 'kept')
if not known[1] then
  refuse('RUN', run)
end
local own, staged = known[2] == writer, number(known[3])
if own and known[4] == '1' then
  return 1
end
if known[1] ~= 'auditing' or (not own and at ~= 1) then
  return 0
end
if own and staged >= at then
  return 1
end
if own and staged ~= at - 1 then
  return 0
end
if shows and at > 1 and not (known[5] == ARGV[7] and redis.call('LLEN', tasks) == tonumber(ARGV[7])) then
  return 0
end

if at == 1 then
  redis.call('HSET', name, 'writer', writer, 'staged', '0', 'kept', '0')
  for _, task in ipairs(redis.call('LRANGE', tasks, 0, drop_at_once - 1)) do
    redis.call('UNLINK', key('task', run, task))
  end
  redis.call('LTRIM', tasks, drop_at_once, -1)
  if redis.call('EXISTS', tasks) == 1 then
    return 2
  end
  redis.call('UNLINK', events, key('work', run))
end

local i = 7 + words
local till = i + 2 * tonumber(ARGV[i])
for j = i + 1, till, 2 do
  redis.call('HSET', key('work', run), ARGV[j], ARGV[j + 1])
end
i = till + 1
local told = redis.call('XLEN', events)
while i <= #ARGV do
  local task, n = ARGV[i], tonumber(ARGV[i + 1])
  i = i + 2
  redis.call('HSET', key('task', run, task), 'updated_at', STAMP, unpack(ARGV, i, i + 2 * n - 1))
  redis.call('RPUSH', tasks, task)
  if not shows then
    redis.call('EXPIRE', key('task', run, task), seconds_)
  end
  i = i + 2 * n
  local m = tonumber(ARGV[i])
  for j = i + 1, i + 2 * m, 2 do
    told = told + 1
    redis.call('XADD', events, int(told) .. '-0', 'kind', ARGV[j], 'task', task, 'data', ARGV[j + 1])
  end
  i = i + 1 + 2 * m
end
if not shows then
  for _, what in ipairs({ tasks, events, key('work', run) }) do
    redis.call('EXPIRE', what, seconds_)
  end
  redis.call('HSET', name, 'staged', int(at))
  return 1
end

for _, what in ipairs({ tasks, events, key('work', run) }) do
  redis.call('PERSIST', what)
end
for j = 11, 6 + words, 2 do
  redis.call('HSET', key('counts', run), ARGV[j], ARGV[j + 1])
end
redis.call('HDEL', name, 'staged', 'kept')
redis.call('HSET', name, 'skipped', ARGV[8], 'unknown', ARGV[9], 'planned', '1')
move_run(run, 'running')
event(run, 'run.planned', {}, ARGV[10])
-- The events of the plan stand in the log right after this one, however many they are: by number, where they are.
redis.call('HSET', name, 'plan_seq', get(name, 'seq'), 'plan_events', int(told), 'plan_at', STAMP)
redis.call('HINCRBY', name, 'seq', int(told))
return 1
