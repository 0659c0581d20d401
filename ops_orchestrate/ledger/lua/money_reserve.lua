-- Sets aside what a stage may use that is claimed, beside the one that a grant sets aside for. Said again, it is the same
-- reserve. Answers 1; 0: it does not fit, or the claim is lost. Keys: task:RUN:TASK, money:*, parked.
-- Args: run, task, attempt, fence, stage, holder, reserve (JSON).
local run, task, attempt, fence, stage, holder, text = unpack(ARGV)
local t = load_task(run, task)
if not holds(t, attempt, fence, stage, holder) then
  return 0
end
if get(t.key, 'reserve') ~= '' then
  return 1
end
local reserve = cjson.decode(text)
if not affordable(reserve) then
  return 0
end
set_aside(t, reserve, text)
return 1
