-- Announces a merge before the base is touched. Keys: task:RUN:TASK, intent:RUN:TASK, lock:NAME, events.
-- Args: run, task, attempt, fence, holder, intent (JSON), data of the event, lock that goes with it ('' none), its ms.
-- Answers 0: the claim was lost; 1; 2: another holder has the lock, and nothing is announced.
local run, task, attempt, fence, holder, intent, data, lock, ms = unpack(ARGV)
local t = load_task(run, task)
if not holds(t, attempt, fence, 'land', holder) then
  return 0
end
if lock ~= '' and take_lock(key('lock', lock), holder, ms) == 0 then
  return 2
end
local name = key('intent', run, task)
if redis.call('GET', name) ~= intent then
  task_event(t, 'merge.intended', data)
end
redis.call('SET', name, intent)
return 1
