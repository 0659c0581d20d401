-- A repository of a run gets the gate that the registry has now. Answers 1, or 0 where the run has it already.
-- Keys: run:RUN, gates:RUN, events:RUN. Args: run, repository, gate (JSON), task whose answer it is, data of the event.
local run, repo, gate, task, data = unpack(ARGV)
if redis.call('EXISTS', key('run', run)) == 0 then
  refuse('RUN', run)
end
if redis.call('HGET', key('gates', run), repo) == gate then
  return 0
end
redis.call('HSET', key('gates', run), repo, gate)
event(run, 'gate.taken', { task = task }, data)
return 1
