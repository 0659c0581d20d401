-- A slot for the reviewer that holds the stage review. Answers its index; 0: none is free, and the stage is snoozed until
-- one is, at most for `pause` seconds; -1: the claim is lost; -2: what it would reserve does not fit under a cap any more.
-- The same holder may ask again and gets the same answer.
-- Keys: task:RUN:TASK, slots, seats, snoozes, watch, board, money:*, parked, events.
-- Args: run, task, attempt, fence, holder, cap, pause, note, what it reserves (JSON; '' nothing).
local run, task, attempt, fence, holder, cap, pause, note, reserve = unpack(ARGV)
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
if reserve ~= '' and not affordable(cjson.decode(reserve)) then
  return -2
end
local free = math.min(5, tonumber(cap)) - redis.call('HLEN', key('slots'))
local board = redis.call('HMGET', key('board'), 'quiet_until', 'server')
if free < 1 or NOW < number(board[1] or '0') or is_successor(board[2]) then
  redis.call('ZADD', key('seats'), 'NX', STAMP, t.member)
  snooze(t, pause, note, mark)
  return 0
end
put(t, 'slot', lowest_slot(), 'granted_at', STAMP)
write_hold(t)
if reserve ~= '' then
  set_aside(t, cjson.decode(reserve), reserve)
end
redis.call('ZREM', key('seats'), t.member)
redis.call('HINCRBY', key('board'), 'version', 1)
task_event(t, 'slot.taken', object('slot', t.slot, 'for', '"review"'))
return tonumber(t.slot)
