-- What a claimed stage has used of its reserve; once. Keys: task:RUN:TASK, money:*.
-- Args: run, task, attempt, fence, stage, holder, tokens, microdollars ('' nobody knows).
local run, task, attempt, fence, stage, holder, tokens, micros = unpack(ARGV)
local t = load_task(run, task)
if not holds(t, attempt, fence, stage, holder) then
  return 0
end
settle_money(t, tokens, micros)
return 1
