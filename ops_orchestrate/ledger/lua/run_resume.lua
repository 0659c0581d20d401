-- once
-- A stopped or halted run goes on; a stop that has not taken effect yet is taken back.
-- Keys: run:RUN, work:RUN, repo_work. Args: run.
local run = ARGV[1]
local name = key('run', run)
local known = redis.call('HMGET', name, 'state', 'stop', 'planned', 'forgetting')
local state = known[1]
if not state or known[4] then
  refuse('RUN', run)
end
local open = state == 'running' or state == 'auditing'
if not (state == 'stopped' or state == 'halted' or (open and (known[2] or '') ~= '')) then
  return 0
end
redis.call('HSET', name, 'stop', '', 'reason', '', 'finished_at', '', 'goes_on_at', '')
move_run(run, known[3] == '1' and 'running' or 'auditing')
event(run, 'run.resumed', {})
return 1
