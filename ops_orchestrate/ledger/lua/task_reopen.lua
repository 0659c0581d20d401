-- once
-- A person moves a task on. Answers 1, or 0 where its state is not one of those expected or the move is not allowed.
-- With a composite that is tried again those of its parts are that were withdrawn or given up.
-- Keys: task:RUN:TASK and its parts, run:RUN, digests, notes, unmerged, watch. Args: run, task, to, by, answer, note, expected states.
local run, task, to, by, answer, note = unpack(ARGV, 1, 6)
local t = need_task(run, task)
local expected = false
for i = 7, #ARGV do
  expected = expected or ARGV[i] == t.state
end
local tail = to == 'verifying' or to == 'shipping'
-- What is in flight is moved by its attempt alone, and only a grant starts one.
if not expected or in_flight(t) or to == 'running' or not may_move(t, to) or (tail and (t.head == '' or t.attempt == '0')) then
  return 0
end
local run_state = get(key('run', run), 'state')
if run_state == 'halted' or run_state == 'done' then
  redis.call('HSET', key('run', run), 'reason', '', 'finished_at', '')
  move_run(run, 'running')
end

local function move_on(one)
  withdraw(one)
  move(one, to)
  put(one, 'reason', answer .. ' by ' .. by, 'ask', '', 'cancel', '', 'wake_at', '')
  if answer == 'retry' then
    put(one, 'spent', '0')
    redis.call('DEL', key('digests', run, one.task))
  end
  if note ~= '' then
    redis.call('RPUSH', key('notes', run, one.task), note)
  end
end

local function told(one)
  task_event(one, 'task.reopened', object('to', str(to), 'by', str(by), 'answer', str(answer)))
end

move_on(t)
if tail then
  next_seq(t)
  open_stage(t, to == 'verifying' and 'verify' or 'land')
else
  redis.call('HDEL', key('unmerged'), t.member)
end
if to == 'completed' then
  finish_task(t)
end
told(t)
for part in string.gmatch(answer == 'retry' and t.parts or '', '%S+') do
  local one = need_task(run, part)
  if (one.state == 'cancelled' or one.state == 'discarded') and may_move(one, to) then
    move_on(one)
    redis.call('HDEL', key('unmerged'), one.member)
    told(one)
  end
end
return 1
