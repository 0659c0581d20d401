-- once
-- What is left to do for those that wait for a completed task; see open_edges. Repeated after a crash, it says the same, but
-- for who sets the size of a join. Keys: task:RUN:TASK and its dependants, edges, candidates:REPO, cards. Args: run, task.
local t = need_task(ARGV[1], ARGV[2])
return t.state == 'completed' and open_edges(t) or {}
