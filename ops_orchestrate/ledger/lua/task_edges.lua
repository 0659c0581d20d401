-- once
-- What is left to do for those that wait for a completed task, a part of them in each call; see open_edges. Of a task that is
-- gone nothing is. Repeated after a crash, it says the same, but for who sees to the size of a join.
-- Keys: task:RUN:TASK and its dependants, edges, candidates:REPO, cards.
-- Args: run, task, the place to go on from (1 at first), whether something was left in the calls before (1/0).
local t = load_task(ARGV[1], ARGV[2])
if not t then
  redis.call('SREM', key('edges'), ARGV[1] .. '/' .. ARGV[2])
end
return t and t.state == 'completed' and open_edges(t, tonumber(ARGV[3]), ARGV[4] == '1', true) or { 0 }
