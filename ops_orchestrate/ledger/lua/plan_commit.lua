-- once
-- Shows the staged plan: the run goes from auditing to running, its events are written.
-- Keys: run:RUN, tasks:RUN, staged:RUN, counts:RUN, work:RUN, repo_work.
-- Args: run, writer, number of tasks, skipped, unknown (JSON lists), data of run.planned, number of states s,
--       s times state and count, then repository and seconds of work.
local run, writer = ARGV[1], ARGV[2]
local name = key('run', run)
local known = redis.call('HMGET', name, 'state', 'writer')
if known[1] ~= 'auditing' or known[2] ~= writer then
  return 0
end
if redis.call('LLEN', key('tasks', run)) ~= tonumber(ARGV[3]) then
  return 0
end
redis.call('HSET', name, 'skipped', ARGV[4], 'unknown', ARGV[5], 'planned', '1')
local states = tonumber(ARGV[7])
for i = 8, 7 + 2 * states, 2 do
  redis.call('HSET', key('counts', run), ARGV[i], ARGV[i + 1])
end
for i = 8 + 2 * states, #ARGV, 2 do
  add_float(key('work', run), ARGV[i], number(ARGV[i + 1]))
end
move_run(run, 'running')
event(run, 'run.planned', {}, ARGV[6])
local staged = redis.call('LRANGE', key('staged', run), 0, -1)
for i = 1, #staged, 3 do
  event(run, staged[i + 1], { task = staged[i] }, staged[i + 2])
end
redis.call('DEL', key('staged', run))
return 1
