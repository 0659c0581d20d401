-- Computes whether a task may start and keeps the index of candidates true to it.
-- Keys: task:RUN:TASK and its blockers, run:RUN, candidates:REPO, cards. Args: run, task.
local t = load_task(ARGV[1], ARGV[2])
return t and offer(t) and 1 or 0
