-- A slot for the reviewer that holds the stage review. Answers its index; 0: none is free, and the stage is snoozed until
-- one is, at most for `pause` seconds; -1: the claim is lost. The same holder may ask again and gets the same answer.
-- Keys: task:RUN:TASK, slots, seats, snoozes, watch, board, events.
-- Args: run, task, attempt, fence, holder, cap, pause, note.
local run, task, attempt, fence, holder, cap, pause, note = unpack(ARGV)
local t = load_task(run, task)
local mark = 'seat ' .. holder
if current(t, attempt, fence) and t.phase == 'snoozed' and get(t.key, 'snoozed_by') == mark then
  return 0
end
if not holds(t, attempt, fence, 'review', holder) then
  return -1
end
if t.slot ~= '' then
  return tonumber(t.slot)
end
local free = math.min(5, tonumber(cap)) - redis.call('HLEN', key('slots'))
if free < 1 or NOW < number(get(key('board'), 'quiet_until')) then
  redis.call('ZADD', key('seats'), 'NX', STAMP, t.member)
  snooze(t, pause, note, mark)
  return 0
end
put(t, 'slot', lowest_slot(), 'granted_at', STAMP)
write_hold(t)
redis.call('ZREM', key('seats'), t.member)
redis.call('HINCRBY', key('board'), 'version', 1)
task_event(t, 'slot.taken', object('slot', t.slot, 'for', '"review"'))
return tonumber(t.slot)
