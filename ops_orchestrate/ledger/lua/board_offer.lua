-- Computes whether a task may start and keeps the index of candidates true to it.
-- Answers 0: it may not; 1; 2: it may, and a slot is free. Keys: task:RUN:TASK and its blockers, run:RUN, candidates:REPO,
-- cards, slots. Args: run, task.
local t = load_task(ARGV[1], ARGV[2])
return t and offer(t) and 1 + wanted() or 0
