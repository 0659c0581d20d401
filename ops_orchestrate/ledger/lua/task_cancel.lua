-- once
-- Withdraws a task: at once where nobody works on it, else by a flag that every heartbeat reports. With it its parts.
-- Keys: task:RUN:TASK and its parts, offered:RUN, snoozes. Args: run, task, by, reason.
local run, task, by, reason = unpack(ARGV)

local function cancel(t)
  if in_flight(t) then
    put(t, 'cancel', '1', 'cancel_reason', reason)
    reconsider(t)
    redis.call('ZADD', key('snoozes'), 'XX', STAMP, t.member) -- nobody waits for a snooze of withdrawn work
    return 'asked'
  end
  if not may_move(t, 'cancelled') then
    return 'ended'
  end
  withdraw(t)
  move(t, 'cancelled')
  put(t, 'reason', reason, 'ask', '', 'wake_at', '')
  redis.call('HDEL', key('unmerged'), t.member)
  task_event(t, 'task.settled', object('state', '"cancelled"', 'reason', str(reason), 'ask', '""', 'merge', str(t.merge),
    'head', str(t.head), 'by', str(by)))
  return 'cancelled'
end

local whole = need_task(run, task)
local answer = cancel(whole)
for part in string.gmatch(answer == 'cancelled' and whole.parts or '', '%S+') do
  cancel(need_task(run, part))
end
return answer
