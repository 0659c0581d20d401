-- once
-- The base moved, the change got another head, or a review is due: the attempt goes back to an earlier stage under a new sequence number.
-- Answers it, or -1 if the claim is lost. Keys: task:RUN:TASK, watch.
-- Args: run, task, attempt, fence, holder, from stage, to stage, head ('': the same as before).
local run, task, attempt, fence, holder, from, to, head = unpack(ARGV)
local t = load_task(run, task)
if not holds(t, attempt, fence, from, holder) or not (t.state == STATE_OF[to] or may_move(t, STATE_OF[to])) then
  return -1
end
if t.state ~= STATE_OF[to] then
  move(t, STATE_OF[to])
end
if head ~= '' then
  put(t, 'head', head)
end
next_seq(t)
open_stage(t, to)
return tonumber(t.seq)
