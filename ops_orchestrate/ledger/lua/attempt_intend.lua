-- Announces a merge before the base is touched, or proves it afterwards. Keys: task:RUN:TASK, intent:RUN:TASK, events.
-- Args: run, task, attempt, fence, holder, proved (1/0), intent (JSON), commit, data of the event.
local run, task, attempt, fence, holder, proved, intent, commit, data = unpack(ARGV)
local t = load_task(run, task)
if not holds(t, attempt, fence, 'land', holder) then
  return 0
end
local name = key('intent', run, task)
local known = redis.call('GET', name) == intent
if proved == '1' then
  if t.merge ~= commit then
    put(t, 'merge', commit)
    task_event(t, 'merge.proved', data)
  end
elseif not known then
  task_event(t, 'merge.intended', data)
end
redis.call('SET', name, intent)
return 1
