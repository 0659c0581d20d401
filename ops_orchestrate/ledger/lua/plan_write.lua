-- Writes a chunk of a plan that nobody sees yet; with `end` it shows the plan, in the same step: auditing to running.
-- The calls of a writer are numbered from 1, and a repeated one changes nothing. The first one of another writer takes
-- over, and drops what was staged before. What is staged expires, until the plan is shown.
-- Answers 1; 0 where the run has a plan, another writer took over, or what was staged has expired.
-- Keys: run:RUN, plan:RUN, tasks:RUN, announced:RUN, work:RUN, counts:RUN, repo_work, events:RUN.
-- Args: run, writer, number of the call, seconds that what is staged lives,
--       number of words of `end`, those: number of tasks, skipped, unknown (JSON lists), data of run.planned, whether it
--       has members of teams (1/0), states and counts,
--       number of repositories w, w times repository and seconds of work,
--       what the chunk announces (ids, `!` before that of a task that is settled), its lines: id and line of each task.
local run, writer, at, seconds_, words = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local shows = words > 0
local name, plan, tasks, announced = key('run', run), key('plan', run), key('tasks', run), key('announced', run)
local known = redis.call('HMGET', name, 'state', 'writer', 'staged', 'planned')
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
if shows and at > 1 then
  local many = tonumber(ARGV[6])
  if redis.call('LLEN', tasks) ~= many or redis.call('HLEN', plan) ~= many or redis.call('LLEN', announced) < many then
    return 0
  end
end
local all = { plan, tasks, announced, key('work', run) }
if at == 1 then
  redis.call('HSET', name, 'writer', writer)
  redis.call('UNLINK', unpack(all))
end

local i = 6 + words
local till = i + 2 * tonumber(ARGV[i])
for j = i + 1, till, 2 do
  redis.call('HSET', key('work', run), ARGV[j], ARGV[j + 1])
end
local marks, ids = {}, {}
for mark in string.gmatch(ARGV[till + 1], '%S+') do
  marks[#marks + 1] = mark
end
local lines = halves(ARGV[till + 2])
for j = 1, #lines, 2 do
  ids[#ids + 1] = lines[j]
end
in_batches('HSET', plan, lines)
in_batches('RPUSH', tasks, ids)
in_batches('RPUSH', announced, marks)
if not shows then
  for _, what in ipairs(all) do
    redis.call('EXPIRE', what, seconds_)
  end
  redis.call('HSET', name, 'staged', int(at))
  return 1
end

for _, what in ipairs(all) do
  redis.call('PERSIST', what)
end
for j = 11, 5 + words, 2 do
  redis.call('HSET', key('counts', run), ARGV[j], ARGV[j + 1])
end
redis.call('HDEL', name, 'staged')
redis.call('HSET', name, 'skipped', ARGV[7], 'unknown', ARGV[8], 'teams', ARGV[10], 'planned', '1')
move_run(run, 'running')
event(run, 'run.planned', {}, ARGV[9])
-- The events of the plan stand in the log right after this one, however many they are: by number, where they are.
local told = redis.call('LLEN', announced)
redis.call('HSET', name, 'plan_seq', get(name, 'seq'), 'plan_events', told, 'plan_at', STAMP)
redis.call('HINCRBY', name, 'seq', told)
return 1
